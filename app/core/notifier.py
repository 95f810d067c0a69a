"""Who is told what happened: the people in a Slack channel, or nobody."""

import http.client
import re
import ssl
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import URLError

from app.core.errors import MessageRefusedError, SlackError
from app.core.messages.blocks import Message
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.core.slack_client import Answer

LONGEST = 12.0  # seconds for a message, with all that the client's timeout does not bound

_MOST_HANGING = 3
_WORD = re.compile(r"[a-z][a-z_ ]{1,60}")
_UNREADABLE = {"invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_too_long"}
_TAKEN = "ok"


class Notifier(Protocol):
    """Tells people; `is_heard` says whether there is anybody to be told."""

    is_heard: bool

    def send(self, message: Message) -> None:
        """Send a message, or raise `SlackError`."""
        ...


class NullNotifier:
    """Tells nobody, where no webhook is configured."""

    is_heard = False

    def send(self, message: Message) -> None:
        """Do nothing."""


class SlackNotifier:
    """Posts to a Slack channel through an incoming webhook, whose address is in no log line and no error."""

    is_heard = True

    def __init__(self, url: str, longest: float = LONGEST) -> None:
        """Use a webhook's address; each request to it takes no longer than so many seconds."""
        self._url = url
        self._longest = longest

    def send(self, message: Message) -> None:
        """Send a message, or raise `SlackError`.

        What Slack cannot read for its form is sent again as plain text; `MessageRefusedError` where it does not read
        that either.
        """
        try:
            self._post({"text": message.text, "blocks": [*message.blocks]})
        except MessageRefusedError:
            self._post({"text": message.text})

    def _post(self, body: dict[str, Any]) -> None:
        left_behind = [thread for thread in threading.enumerate() if isinstance(thread, _Attempt) and thread.is_late]
        if len(left_behind) >= _MOST_HANGING:
            raise SlackError("earlier messages still hang on their way")
        attempt = _Attempt(self._url, {**body, "unfurl_links": False, "unfurl_media": False})
        attempt.start()
        attempt.join(self._longest)
        attempt.is_late = attempt.is_alive()
        if attempt.is_late:
            raise SlackError(f"it did not answer in {self._longest:g} s")
        attempt.check()


class _Attempt(threading.Thread):
    """A request in a thread that can be left behind: a timeout bounds neither the look-up of a name nor a slow drip."""

    def __init__(self, url: str, body: dict[str, Any]) -> None:
        super().__init__(name="slack", daemon=True)
        self.is_late = False
        self._url = url
        self._body = body
        self._answer: Answer | None = None
        self._reason = "the attempt broke off"

    def run(self) -> None:
        """Send the message, and keep what came of it."""
        # As slow to import as the database, and needed by few processes, and seldom.
        from app.core.slack_client import post

        try:
            self._answer = post(self._url, self._body)
        except (OSError, http.client.HTTPException, ValueError, LookupError) as failed:
            self._reason = _reason(failed)

    def check(self) -> None:
        """Raise `SlackError` unless the message was taken."""
        answer = self._answer
        if answer is None:
            raise SlackError(self._reason)
        if answer.status == HTTPStatus.OK and answer.said == _TAKEN:
            return
        # Slack's own errors are words. Anything else is a proxy's page, which may show the address.
        told = f"HTTP {answer.status}{f', {answer.said}' if _WORD.fullmatch(answer.said) else ''}"
        if answer.said in _UNREADABLE:
            raise MessageRefusedError(told)
        raise SlackError(told, answer.retry_after)


def notifier_for(settings: Settings) -> Notifier:
    """Find who is to be told."""
    url = settings.slack_webhook_url
    return SlackNotifier(url.get_secret_value()) if url else NullNotifier()


def _reason(failed: Exception) -> str:
    """Say what went wrong in words that cannot hold the webhook's address."""
    cause = failed.reason if isinstance(failed, URLError) and isinstance(failed.reason, Exception) else failed
    if isinstance(cause, ssl.SSLError):
        return f"the connection is not secure, {cause.reason}"
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    told = cause.strerror if isinstance(cause, OSError) else None
    return told or type(cause).__name__

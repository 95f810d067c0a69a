"""Telling people what is due: runs that ended, versions that were taken back, a quota that runs out."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from app.core.database import Database
from app.core.errors import ArtifactError, MessageRefusedError, RunNotFoundError, SlackError
from app.core.messages.blocks import Message
from app.core.messages.plain import plain
from app.core.messages.run import of_run
from app.core.messages.service import of_quota, of_rollback
from app.core.messages.words import Words
from app.core.notices import Notice, Notices
from app.core.notifier import Notifier, notifier_for
from app.core.run import Run, State
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore

log = structlog.get_logger(__name__)

_LONGEST_REASON = 300


def tell(settings: Settings, database: Database, models: ModelStore) -> int:
    """Send what is due, and return how many messages were sent.

    Slack's failures are logged and counted, and the notice is sent later; after one of them nothing more is tried in
    this call, so it takes no longer than one message may. Raises `DatabaseError`.
    """
    outbox = Notices(database)
    if not outbox.any_waits():
        return 0
    outbox.prune()
    notifier = notifier_for(settings)
    given_up = outbox.give_up_old()
    if given_up and notifier.is_heard:
        log.warning("notices were given up: they could not be sent within a day", notices=given_up)
    return _Teller(outbox, RunStore(database), models, Words.of(settings)).all_due(notifier)


class _Teller:
    def __init__(self, outbox: Notices, runs: RunStore, models: ModelStore, words: Words) -> None:
        self._outbox = outbox
        self._runs = runs
        self._models = models
        self._words = words
        self._messages: Mapping[str, Callable[[Mapping[str, Any]], Message | None]] = {
            "run": self._of_run,
            "rollback": lambda body: of_rollback(body, words),
            "quota": lambda body: of_quota(body, words),
        }

    def all_due(self, notifier: Notifier) -> int:
        """Send all that is due; nothing is taken up where nobody is there to be told."""
        sent = 0
        while notifier.is_heard and (notice := self._outbox.claim()) is not None:
            message = self._message(notice)
            if message is None:
                self._outbox.done(notice)
                continue
            try:
                notifier.send(message)
            except SlackError as failed:
                log.warning("a notice was not sent", kind=notice.kind, tries=notice.tries + 1, reason=str(failed))
                self._outbox.failed(notice, str(failed), failed.retry_after)
                if isinstance(failed, MessageRefusedError):  # a matter of this message alone
                    continue
                break
            self._outbox.done(notice)
            sent += 1
        return sent

    def _message(self, notice: Notice) -> Message | None:
        """Put into words what there is to say, as things are now; None where there is nothing to say any more."""
        known = self._messages.get(notice.kind)
        if known is None:
            log.warning("a notice of an unknown kind is left out", kind=notice.kind)
            return None
        return known(notice.body)

    def _of_run(self, body: Mapping[str, Any]) -> Message | None:
        try:
            run = self._runs.get(body["run_id"])
        except RunNotFoundError:  # forgotten meanwhile
            return None
        return None if _never_began(run) else of_run(run, self._serving(), self._words)

    def _serving(self) -> str:
        """Say which version serves now."""
        try:
            version = self._models.current_version()
        except (ArtifactError, OSError) as unreadable:
            reason = unreadable.strerror if isinstance(unreadable, OSError) else str(unreadable)
            return self._words.say("serves_unknown", reason=plain(reason, _LONGEST_REASON))
        return self._words.say("serves", version=version) if version else self._words.say("nothing_serves")


def _never_began(run: Run) -> bool:
    """Tell whether a run was taken back before anything came of it, by somebody who knows."""
    return run.state is State.CANCELLED and run.started_at is None

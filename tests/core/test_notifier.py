"""Sending to Slack, over real connections to a server that behaves as Slack does."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import slack_client
from app.core.errors import MessageRefusedError, SlackError
from app.core.messages.blocks import Block, Message, header, message, section
from app.core.notifier import NullNotifier, SlackNotifier, notifier_for
from app.core.settings import Settings
from tests.fakes import slack
from tests.fakes.slack import FakeSlack

ROOT = Path(__file__).parents[2]
HELLO = message("Hello", [header("Hello"), section(["World"])])


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with slack.serve() as server:
        yield server
    wait_for_attempts()


def wait_for_attempts() -> None:
    """Leave no thread behind for the next test."""
    for thread in threading.enumerate():
        if thread.name == "slack":
            thread.join(10)


def reason_of(url: str, to_send: Message = HELLO) -> str:
    with pytest.raises(SlackError) as raised:
        SlackNotifier(url).send(to_send)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    return str(raised.value).removeprefix("Slack did not take the message: ").removesuffix(".")


def test_a_message_arrives_with_its_blocks_and_its_text(fake_slack: FakeSlack):
    SlackNotifier(fake_slack.url).send(HELLO)

    assert fake_slack.messages == [
        {"text": "Hello", "blocks": HELLO.blocks, "unfurl_links": False, "unfurl_media": False}
    ]


def test_without_a_webhook_nobody_is_told():
    notifier = notifier_for(Settings())
    notifier.send(HELLO)

    assert isinstance(notifier, NullNotifier)
    assert not notifier.is_heard


def test_with_a_webhook_slack_is_told(fake_slack: FakeSlack):
    notifier = notifier_for(Settings(slack_webhook_url=fake_slack.url))
    notifier.send(HELLO)

    assert notifier.is_heard
    assert len(fake_slack.messages) == 1


def test_the_library_is_not_imported_before_there_is_something_to_send():
    code = "import sys; import app.core.telling; sys.exit('slack_sdk' in sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_is_followed_by_a_second_try(fake_slack: FakeSlack, code: int):
    fake_slack.faults = [slack.status(code)]
    SlackNotifier(fake_slack.url).send(HELLO)

    assert (len(fake_slack.requests), len(fake_slack.messages)) == (2, 1)


def test_a_server_error_that_stays_is_told(fake_slack: FakeSlack):
    fake_slack.faults = [slack.status(500, "fatal_error")] * 2

    assert reason_of(fake_slack.url) == "HTTP 500, fatal_error"
    assert len(fake_slack.requests) == 2


def test_a_connection_that_is_closed_is_followed_by_a_second_try(fake_slack: FakeSlack):
    fake_slack.faults = [slack.hang_up]
    SlackNotifier(fake_slack.url).send(HELLO)

    assert (len(fake_slack.requests), len(fake_slack.messages)) == (2, 1)


def test_a_short_wait_that_slack_asks_for_is_waited(fake_slack: FakeSlack):
    fake_slack.faults = [slack.status(429, "rate_limited", Retry_After="1")]
    begun = time.monotonic()
    SlackNotifier(fake_slack.url).send(HELLO)

    assert time.monotonic() - begun > 1
    assert len(fake_slack.messages) == 1


@pytest.mark.parametrize(("asked", "told"), [("30", 30), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)])
def test_a_long_wait_is_left_to_whoever_tries_later(fake_slack: FakeSlack, asked: str, told: int | None):
    fake_slack.faults = [slack.status(429, "rate_limited", retry_after=asked)]
    with pytest.raises(SlackError, match="HTTP 429, rate_limited") as raised:
        SlackNotifier(fake_slack.url).send(HELLO)

    assert raised.value.retry_after == told
    assert len(fake_slack.requests) == 1


def test_without_a_word_on_how_long_to_wait_a_limit_is_no_reason_to_try_again_at_once(fake_slack: FakeSlack):
    fake_slack.faults = [slack.status(429)]

    assert reason_of(fake_slack.url) == "HTTP 429, error"
    assert len(fake_slack.requests) == 1


def test_a_webhook_that_is_gone_is_told_without_its_address(fake_slack: FakeSlack):
    assert reason_of(fake_slack.url + "TYPO") == "HTTP 404, no_service"
    assert len(fake_slack.requests) == 1


def test_what_slack_cannot_show_is_sent_as_text(fake_slack: FakeSlack):
    unknown: Block = {"type": "hologram"}
    SlackNotifier(fake_slack.url).send(Message("Hello", [unknown]))

    assert [(request["text"], "blocks" in request) for request in fake_slack.requests] == [
        ("Hello", True),
        ("Hello", False),
    ]
    assert len(fake_slack.messages) == 1


def test_what_slack_cannot_read_at_all_is_refused(fake_slack: FakeSlack):
    with pytest.raises(MessageRefusedError, match="HTTP 400, invalid_blocks"):
        SlackNotifier(fake_slack.url).send(Message("", []))

    assert len(fake_slack.requests) == 2


def test_a_page_that_is_not_slacks_is_no_success_and_is_not_repeated(fake_slack: FakeSlack):
    fake_slack.faults = [slack.status(200, f"<html>Log in to reach {fake_slack.url}</html>")]

    assert reason_of(fake_slack.url) == "HTTP 200"


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [("text/html; charset=ascii", "UnicodeDecodeError"), ("text/html; charset=klingon", "LookupError")],
)
def test_an_answer_that_cannot_be_read_is_told(fake_slack: FakeSlack, content_type: str, reason: str):
    fake_slack.faults = [slack.status(200, "ök", Content_Type=content_type)]

    assert reason_of(fake_slack.url) == reason


def test_a_server_that_never_answers_holds_it_for_one_timeout_and_is_asked_once(
    fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
):
    """A second try could tell people twice: the first may have been read."""
    monkeypatch.setattr(slack_client, "TIMEOUT", 0.3)
    fake_slack.faults = [slack.never]
    begun = time.monotonic()

    assert reason_of(fake_slack.url) == "it did not answer in time"
    assert time.monotonic() - begun < 3
    assert len(fake_slack.requests) == 1


def test_a_server_that_drips_is_left_alone_and_few_threads_wait_for_it(fake_slack: FakeSlack):
    fake_slack.faults = [slack.dripping] * 3
    notifier = SlackNotifier(fake_slack.url, longest=0.4)
    for _ in range(3):
        with pytest.raises(SlackError, match=r"it did not answer in 0\.4 s"):
            notifier.send(HELLO)

    with pytest.raises(SlackError, match="earlier messages still hang on their way"):
        notifier.send(HELLO)
    assert len(fake_slack.requests) == 3

    fake_slack.over.set()
    wait_for_attempts()
    SlackNotifier(fake_slack.url).send(HELLO)
    assert len(fake_slack.messages) == 1


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


ADDRESS = "T0000SECRET"  # the part of it that is a secret


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:{free}/services/T0000SECRET", "Connection refused"),
        ("http://127.0.0.1:{free}/services/T0000SECRET with a space", "InvalidURL"),
        ("http://127.0.0.1:T0000SECRET/", "InvalidURL"),
        ("http:///services/T0000SECRET", "URLError"),
        ("https://127.0.0.1:{slack}/services/T0000SECRET", "the connection is not secure, WRONG_VERSION_NUMBER"),
    ],
)
def test_what_is_wrong_with_a_connection_is_told_without_the_address(
    fake_slack: FakeSlack, caplog: pytest.LogCaptureFixture, url: str, reason: str
):
    port = fake_slack.url.split(":")[2].split("/")[0]
    with caplog.at_level(logging.DEBUG):
        assert reason_of(url.format(free=free_port(), slack=port)) == reason

    assert ADDRESS not in caplog.text


@pytest.mark.parametrize("fault", [slack.status(500), slack.status(404), slack.hang_up])
def test_the_address_is_in_no_log_line(fake_slack: FakeSlack, caplog: pytest.LogCaptureFixture, fault: slack.Fault):
    fake_slack.faults = [fault] * 2
    with caplog.at_level(logging.DEBUG):
        assert ADDRESS not in reason_of(fake_slack.url)

    assert ADDRESS not in caplog.text

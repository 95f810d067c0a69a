"""What is tried again, what is not, and what is told; and where the key must never be."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from tenacity import AsyncRetrying, RetryCallState

from app.core.errors import CollectionError, RawgKeyError, RawgUnavailableError
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import ids
from training import rawg as rawg_client
from training.collection import collect


@pytest.mark.parametrize(
    "fault",
    [
        rawg.status(500),
        rawg.status(502),
        rawg.status(522),
        rawg.status(429),
        rawg.reset,
        rawg.truncated,
        rawg.body(b"<html>Just a moment...</html>"),
        rawg.body(b'{"results": [{"id": 1'),
        rawg.body(b'{"detail": "throttled"}'),
        rawg.body(b"[]"),
        rawg.body(b'{"results": null}'),
        rawg.body(b'{"results": {"id": 1}}'),
        rawg.body(b"\xff{}"),
        rawg.dripping,
        rawg.status(200, b"no gzip at all", Content_Encoding="gzip"),
    ],
)
def test_what_may_pass_is_tried_again(fault: rawg.Fault, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [fault], 2: [fault, fault]}

    assert ids(collect(make_settings(rawg_max_games=80, rawg_timeout=1))) == list(range(1, 81))
    assert fake_rawg.asked_for() == {1: 2, 2: 3}


def test_an_empty_page_that_has_a_next_one_is_asked_for_again(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    empty = rawg.body(b'{"next": "https://example.org/?page=3", "results": []}')
    fake_rawg.faults = {2: [empty]}
    assert len(ids(collect(make_settings(rawg_max_games=80)))) == 80

    fake_rawg.faults = {2: [empty, empty]}
    assert len(ids(collect(make_settings(rawg_max_games=80), full=True))) == 40


@pytest.mark.parametrize("odd", ['"\\ud83c"', "NaN", "9" * 400])
def test_an_odd_value_costs_its_record_and_not_its_page(
    odd: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    record = json.dumps(rawg.game(500)).replace('"Game 500"', odd)
    page = json.dumps({"results": fake_rawg.games[:39]}).replace("[", f"[{record}, ", 1)
    fake_rawg.faults = {1: [rawg.body(b"\xef\xbb\xbf" + page.encode())]}

    assert ids(collect(make_settings(rawg_max_games=39))) == [500, *range(1, 40)]


def test_an_answer_that_takes_too_long_is_tried_again(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.slow(1.0)]}

    collect(make_settings(rawg_max_games=40, rawg_timeout=0.5))

    assert fake_rawg.asked_for() == {1: 2}


@pytest.mark.parametrize(("fault", "told"), [(rawg.slow(1), "no answer in time"), (rawg.reset, "a broken answer")])
def test_trouble_that_lasts_is_told(
    fault: rawg.Fault,
    told: str,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    caplog: pytest.LogCaptureFixture,
):
    fake_rawg.faults = {1: [fault] * 5}

    collect(make_settings(rawg_max_games=40, rawg_timeout=0.5))

    assert caplog.text.count("RAWG does not answer well") == 2
    assert told in caplog.text


def test_nobody_at_the_address(make_settings: MakeSettings):
    with pytest.raises(RawgUnavailableError, match="the last one ending with no connection"):
        collect(make_settings(rawg_base_url="http://127.0.0.1:1"))


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_back_every_request(form: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    busy = rawg.status(429, Retry_After="1" if form == "seconds" else until)
    fake_rawg.games = [rawg.game(number) for number in range(1, 401)]
    fake_rawg.faults = {2: [busy]}

    collect(make_settings(rawg_max_games=400, rawg_concurrency=1))

    after_the_answer = fake_rawg.times[2] - fake_rawg.times[1]
    assert fake_rawg.asked_for()[2] == 2
    assert after_the_answer >= 0.9


def test_what_one_request_is_told_holds_for_the_others(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.games = [rawg.game(number) for number in range(1, 401)]
    fake_rawg.faults = {2: [rawg.status(429, Retry_After="1")], 3: [rawg.slow(0.2)]}

    collect(make_settings(rawg_max_games=400, rawg_concurrency=2))

    # Page 1; then 2, which is told to wait, and 3, which was under way; and a second later all others.
    assert fake_rawg.times[3] - fake_rawg.times[1] >= 0.9


@pytest.mark.parametrize("value", ["soon", "-5", "²", "1e3", "Sat, 31 Dec 9999 23:59:59 -1400"])
def test_a_retry_after_that_says_nothing_is_ignored(value: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.status(503, Retry_After=value)]}

    assert len(ids(collect(make_settings(rawg_max_games=40)))) == 40


def test_a_wait_of_many_minutes_is_left_to_a_person(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.status(429, Retry_After="301")]}

    with pytest.raises(RawgUnavailableError, match="asks to wait 301 seconds"):
        collect(make_settings())
    assert fake_rawg.asked_for() == {1: 1}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b'{"error": "The key parameter is not provided"}', "got no key"),
        (b'{"error": "The API key is not found"}', "mistyped, or so new that it is not active yet"),
        (b'{"error": "The monthly API limit reached"}', "monthly limit for this key is reached"),
        (b'{"error": "something else"}', r"refuses the key in RAWG_API_KEY \(HTTP 401\)"),
        (b"<html>", r"refuses the key in RAWG_API_KEY \(HTTP 401\)"),
    ],
)
def test_401_is_told_by_its_reason_and_never_tried_again(
    answer: bytes, message: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.faults = {1: [rawg.status(401, answer)]}

    with pytest.raises(RawgKeyError, match=message):
        collect(make_settings())
    assert fake_rawg.asked_for() == {1: 1}


def test_without_a_key_rawg_itself_says_what_is_missing(make_settings: MakeSettings):
    with pytest.raises(RawgKeyError, match="got no key"):
        collect(make_settings(rawg_api_key=None))


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_a_wrong_address_is_told_at_once(path: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    base_url = fake_rawg.base_url.removesuffix("/api") + path

    with pytest.raises(CollectionError, match="HTTP 404 to the list of games; check RAWG_BASE_URL"):
        collect(make_settings(rawg_base_url=base_url))


@pytest.mark.parametrize("key", [rawg.KEY, "a+key/with&signs"])
def test_the_key_is_in_no_kept_file_and_no_error(
    key: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rawg, "KEY", key)
    forms = f"{key} {quote(key)} {quote(key, safe='')}"
    body = f'{{"next": "https://x/games?page=2\\u0026key={key}", "results": [{{}}], "note": "{forms}"}}'
    fake_rawg.faults = {1: [rawg.status(502)], 2: [rawg.body(body.encode())]}
    settings = make_settings(rawg_max_games=100, rawg_api_key=key)

    collect(settings)

    kept = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    contents = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in kept]
    assert any(b"key=REDACTED" in content for content in contents)
    for content in contents:
        assert key.encode() not in content
        assert quote(key).encode() not in content
        assert quote(key, safe="").encode() not in content


def test_a_key_too_short_to_be_real_is_taken_out_of_addresses_alone(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rawg, "KEY", "k")

    collection = collect(make_settings(rawg_max_games=40, rawg_api_key="k"))

    body = collection.page(1).body
    assert b"key=REDACTED" in body
    assert b"background_image" in body


def test_of_an_escaped_address_the_key_alone_is_taken_out(
    fake_rawg: rawg.FakeRawg, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rawg, "KEY", "k")
    fake_rawg.faults = {1: [rawg.body(b'{"results": [{}], "next": "https://x/?a=1\\u0026key=k\\u0026page=2"}')]}

    collection = collect(make_settings(rawg_max_games=40, rawg_api_key="k"))

    assert b'"https://x/?a=1\\u0026key=REDACTED\\u0026page=2"' in collection.page(1).body


@pytest.mark.parametrize("status", [301, 403, 418])
def test_an_answer_that_asking_again_will_not_change_is_told_at_once(
    status: int, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.faults = {1: [rawg.status(status, Location="http://127.0.0.1:1/")]}

    with pytest.raises(CollectionError, match=f"HTTP {status} to the list of games"):
        collect(make_settings())
    assert fake_rawg.asked_for() == {1: 1}


def test_waits_grow_by_chance_up_to_half_a_minute(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    waits = {tries: [_wait_after(tries) for _ in range(200)] for tries in (1, 4, 20)}

    assert 0 <= min(waits[1]) < max(waits[1]) <= 0.5
    assert 0 <= min(waits[4]) < 1 < max(waits[4]) <= 4
    assert 15 < max(waits[20]) <= 30


def _wait_after(tries: int) -> float:
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.attempt_number = tries
    return rawg_client._wait(state)


def test_a_query_that_rawg_refuses_is_told_with_its_filters(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.status(400, b'{"error": "dates"}')]}

    with pytest.raises(CollectionError, match="HTTP 400 to the list of games; check RAWG_DATES"):
        collect(make_settings(rawg_dates="x"))

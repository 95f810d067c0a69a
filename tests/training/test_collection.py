"""Collecting from a RAWG that behaves, that fails, and that is interrupted."""

import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.core.errors import CollectionError, QuotaReachedError, RawgKeyError, RawgUnavailableError
from app.core.settings import Settings
from tests.fakes import rawg
from training.collection import collect, folder, ledger
from training.pages import Collection

MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch):
    """Retries come at once; how long they wait is tested where it matters."""
    monkeypatch.setattr("training.rawg._backoff", lambda _state: 0.0)


def ids(collection: Collection) -> list[int]:
    return [game["id"] for page in collection.pages() for game in page.games]  # type: ignore[index]


def test_as_many_games_as_asked_for_come_in_pages_of_40(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    collection = collect(make_settings(rawg_max_games=80))

    assert ids(collection) == list(range(1, 81))
    assert fake_rawg.asked_for() == {1: 1, 2: 1}
    assert fake_rawg.requests[0] == {"page_size": "40", "ordering": "-added", "page": "1", "key": rawg.KEY}
    assert collection.finished_at is not None


def test_the_end_of_the_list_ends_the_collection(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    assert ids(collect(make_settings(rawg_max_games=5000))) == list(range(1, 101))
    # No more pages past the end than were under way together.
    assert sum(fake_rawg.asked_for().values()) <= 3 + 4


def test_an_empty_page_is_the_end_as_well(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults[3] = [rawg.body(b'{"results": []}')]

    assert ids(collect(make_settings(rawg_max_games=90))) == list(range(1, 81))


def test_filters_are_sent_and_the_client_names_itself(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    collect(make_settings(rawg_max_games=1, rawg_genres="rpg,action", rawg_dates="2020-01-01,2020-12-31"))

    assert fake_rawg.requests[0]["genres"] == "rpg,action"
    assert fake_rawg.requests[0]["dates"] == "2020-01-01,2020-12-31"
    assert "tags" not in fake_rawg.requests[0]
    assert fake_rawg.headers[0]["User-Agent"].startswith("game-recommender/")


def test_games_that_come_twice_do_not_count_twice(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    games = fake_rawg.games
    fake_rawg.pages = [games[:40], [*games[30:40], *games[40:70]], games[60:100]]

    assert set(ids(collect(make_settings(rawg_max_games=100)))) == set(range(1, 101))


def test_bad_records_do_not_count_as_games(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.games = [*({**rawg.game(number), "rating": 9} for number in range(201, 241)), *fake_rawg.games]

    assert set(ids(collect(make_settings(rawg_max_games=80)))) == {*range(201, 241), *range(1, 81)}


def test_a_list_that_only_repeats_itself_ends_with_an_error(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.pages = [fake_rawg.games[:40]] * 1000

    with pytest.raises(RawgUnavailableError, match="repeats itself"):
        collect(make_settings(rawg_max_games=100))
    assert sum(fake_rawg.asked_for().values()) < 30


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
        rawg.status(200, b"no gzip at all", Content_Encoding="gzip"),
    ],
)
def test_what_may_pass_is_tried_again(fault: rawg.Fault, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [fault], 2: [fault, fault]}

    assert ids(collect(make_settings(rawg_max_games=80))) == list(range(1, 81))
    assert fake_rawg.asked_for() == {1: 2, 2: 3}


def test_an_answer_that_takes_too_long_is_tried_again(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.slow(1.0)]}

    collect(make_settings(rawg_max_games=40, rawg_timeout=0.2))

    assert fake_rawg.asked_for() == {1: 2}


@pytest.mark.parametrize(("fault", "told"), [(rawg.slow(0.3), "no answer in time"), (rawg.reset, "a broken answer")])
def test_trouble_that_lasts_is_told(
    fault: rawg.Fault,
    told: str,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    caplog: pytest.LogCaptureFixture,
):
    fake_rawg.faults = {1: [fault] * 5}

    collect(make_settings(rawg_max_games=40, rawg_timeout=0.1))

    assert caplog.text.count("RAWG does not answer well") == 2
    assert told in caplog.text


def test_nobody_at_the_address(make_settings: MakeSettings):
    with pytest.raises(RawgUnavailableError, match="the last one ending with no connection"):
        collect(make_settings(rawg_base_url="http://127.0.0.1:1"))


def test_what_never_passes_is_given_up_and_gone_on_with_later(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {3: [rawg.status(502)] * 8}
    settings = make_settings(rawg_max_games=100)

    with pytest.raises(RawgUnavailableError, match=r"page 3 in 8 tries, the last one ending with HTTP 502; .* kept"):
        collect(settings)
    assert folder(settings).latest() is None

    assert ids(collect(settings)) == list(range(1, 101))
    assert fake_rawg.asked_for() == {1: 1, 2: 1, 3: 9}


def test_fresh_begins_anew(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {2: [rawg.status(502)] * 8}
    settings = make_settings(rawg_max_games=80)
    with pytest.raises(RawgUnavailableError):
        collect(settings)

    collect(settings, fresh=True)

    assert fake_rawg.asked_for() == {1: 2, 2: 9}


def test_another_list_is_not_gone_on_with(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {2: [rawg.status(502)] * 8}
    with pytest.raises(RawgUnavailableError):
        collect(make_settings(rawg_max_games=80))

    collect(make_settings(rawg_max_games=40, rawg_genres="rpg"))

    assert fake_rawg.asked_for()[1] == 2


def test_a_kept_page_that_is_broken_is_collected_again(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {3: [rawg.status(502)] * 8}
    settings = make_settings(rawg_max_games=100)
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    [page] = settings.data_dir.glob("rawg/*/000002.json.gz")
    page.write_bytes(page.read_bytes()[:50])

    assert ids(collect(settings)) == list(range(1, 101))
    assert fake_rawg.asked_for() == {1: 1, 2: 2, 3: 9}


def test_a_broken_page_of_a_finished_collection_is_named(make_settings: MakeSettings):
    collection = collect(make_settings(rawg_max_games=40))
    (collection.folder / "000001.json.gz").write_bytes(b"")

    with pytest.raises(CollectionError, match=r"000001\.json\.gz cannot be read"):
        list(collection.pages())


def test_a_finished_collection_replaces_the_one_before(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    settings = make_settings(rawg_max_games=40)
    first = collect(settings)
    second = collect(settings)

    assert fake_rawg.asked_for() == {1: 2}
    assert not first.folder.exists()
    assert folder(settings).latest() == second


def test_what_is_no_collection_is_passed_over(make_settings: MakeSettings):
    settings = make_settings(rawg_max_games=40)
    stray = settings.data_dir / "rawg" / "notes"
    stray.mkdir(parents=True)

    assert folder(settings).latest() is None
    collect(settings)
    assert stray.exists()


@pytest.mark.parametrize("tries", [1, 2])
def test_retry_after_holds_back_every_request(tries: int, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    fake_rawg.faults = {1: [rawg.status(429, Retry_After="1" if tries == 1 else until)]}
    started = time.monotonic()

    collect(make_settings(rawg_max_games=40))

    assert time.monotonic() - started >= 0.9


@pytest.mark.parametrize("value", ["soon", "-5"])
def test_a_retry_after_that_says_nothing_is_ignored(value: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.status(503, Retry_After=value)]}

    assert len(ids(collect(make_settings(rawg_max_games=40)))) == 40


def test_a_wait_of_an_hour_is_left_to_a_person(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {1: [rawg.status(429, Retry_After="3600")]}

    with pytest.raises(RawgUnavailableError, match="asks to wait 3600 seconds"):
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


def test_no_more_requests_at_once_than_allowed(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.games = [rawg.game(number) for number in range(1, 801)]
    fake_rawg.faults = {number: [rawg.slow(0.05)] for number in range(1, 21)}

    collect(make_settings(rawg_max_games=800, rawg_concurrency=3))

    assert fake_rawg.most_at_once == 3


def test_the_quota_is_never_passed_and_the_pages_are_kept(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    settings = make_settings(rawg_max_games=100, rawg_monthly_quota=2)

    with pytest.raises(QuotaReachedError, match=r"This month's 2 requests .* are spent \(RAWG_MONTHLY_QUOTA\).* kept"):
        collect(settings)
    assert fake_rawg.asked_for() == {1: 1, 2: 1}
    assert ledger(settings).remaining == 0

    assert ids(collect(make_settings(rawg_max_games=100, rawg_monthly_quota=3))) == list(range(1, 101))
    assert fake_rawg.asked_for() == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("key", [rawg.KEY, "a+key/with&signs"])
def test_the_key_is_in_no_kept_file_and_no_error(
    key: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rawg, "KEY", key)
    escaped = b'{"next": "https://x/games?page=2\\u0026key=' + key.encode() + b'", "results": [], "note": "%s"}'
    fake_rawg.faults = {1: [rawg.status(502)], 2: [rawg.body(escaped.replace(b"%s", key.encode()))]}
    settings = make_settings(rawg_max_games=100, rawg_api_key=key)

    collect(settings)

    kept = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    contents = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in kept]
    assert any(b"key=REDACTED" in content for content in contents)
    for content in contents:
        assert key.encode() not in content
        assert b"a%2Bkey" not in content


def test_a_key_too_short_to_be_real_is_taken_out_of_addresses_alone(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rawg, "KEY", "k")

    collection = collect(make_settings(rawg_max_games=40, rawg_api_key="k"))

    body = collection.page(1).body
    assert b"key=REDACTED" in body
    assert b"background_image" in body

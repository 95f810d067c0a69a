"""Collecting from a RAWG that behaves, that fails, and that is interrupted."""

from collections.abc import Callable

import pytest

from app.core.errors import CollectionError, QuotaReachedError, RawgKeyError, RawgUnavailableError
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import ids
from training.collection import collect, folder, ledger


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
    filters = {"genres": "rpg,action", "tags": "co-op", "platforms": "4,187", "dates": "2020-01-01,2020-12-31"}
    collect(make_settings(rawg_max_games=1, **{f"rawg_{name}": value for name, value in filters.items()}))

    assert fake_rawg.requests[0].items() >= filters.items()
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

    with pytest.raises(RawgUnavailableError, match="leads nowhere"):
        collect(make_settings(rawg_max_games=100))
    assert sum(fake_rawg.asked_for().values()) < 30


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


def cut(content: bytes) -> bytes:
    return content[:50]


def garble(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"\xff" * 20 + content[middle + 20 :]


@pytest.mark.parametrize("damage", [cut, garble])
def test_a_kept_page_that_is_broken_is_collected_again(
    damage: Callable[[bytes], bytes], fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.faults = {3: [rawg.status(502)] * 8}
    settings = make_settings(rawg_max_games=100)
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    [page] = settings.data_dir.glob("rawg/*/000002.json.gz")
    page.write_bytes(damage(page.read_bytes()))

    assert ids(collect(settings)) == list(range(1, 101))
    assert fake_rawg.asked_for() == {1: 1, 2: 2, 3: 9}


def test_a_broken_page_of_a_finished_collection_is_named(make_settings: MakeSettings):
    collection = collect(make_settings(rawg_max_games=40))
    (collection.folder / "000001.json.gz").write_bytes(b"")

    with pytest.raises(CollectionError, match=r"000001\.json\.gz cannot be read"):
        list(collection.pages())


def test_a_finished_collection_is_kept_until_a_newer_one_has_proved_good(
    fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=40)
    first = collect(settings)
    second = collect(settings)

    assert fake_rawg.asked_for() == {1: 2}
    assert folder(settings).latest() == second
    assert first.folder.exists()
    folder(settings).keep_only(second)
    assert not first.folder.exists()
    assert folder(settings).latest() == second


def test_an_interrupted_collection_does_not_come_back_after_a_newer_one(
    fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.faults = {2: [rawg.status(502)] * 8}
    settings = make_settings(rawg_max_games=80)
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    collect(settings, fresh=True)

    collect(settings)

    assert fake_rawg.asked_for()[1] == 3


@pytest.mark.parametrize(
    ("values", "doubt"),
    [({"rawg_genres": "x", "rawg_dates": "y"}, "RAWG_GENRES and RAWG_DATES"), ({}, "RAWG_BASE_URL")],
)
def test_a_list_without_games_is_an_error_that_names_the_filters(
    values: dict[str, str], doubt: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.games = []

    with pytest.raises(CollectionError, match=f"RAWG lists no games; check {doubt}"):
        collect(make_settings(**values))
    assert folder(make_settings()).latest() is None
    fake_rawg.games = [rawg.game(1)]
    assert ids(collect(make_settings(**values))) == [1]


def test_what_is_no_collection_is_passed_over(make_settings: MakeSettings):
    settings = make_settings(rawg_max_games=40)
    stray = settings.data_dir / "rawg" / "notes"
    stray.mkdir(parents=True)
    for name, record in {"cut": "{", "list": "[]", "old": '{"source": "x"}'}.items():
        (settings.data_dir / "rawg" / name).mkdir()
        (settings.data_dir / "rawg" / name / "collection.json").write_text(record)

    assert folder(settings).latest() is None
    collect(settings)
    assert stray.exists()


def test_no_more_requests_at_once_than_allowed(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.games = [rawg.game(number) for number in range(1, 801)]
    fake_rawg.faults = {number: [rawg.slow(0.05)] for number in range(1, 21)}

    collect(make_settings(rawg_max_games=800, rawg_concurrency=3))

    assert 2 <= fake_rawg.most_at_once <= 3


def test_the_quota_is_never_passed_and_the_pages_are_kept(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    settings = make_settings(rawg_max_games=100, rawg_monthly_quota=2)

    with pytest.raises(QuotaReachedError, match=r"This month's 2 requests .* are spent \(RAWG_MONTHLY_QUOTA\).* kept"):
        collect(settings)
    assert fake_rawg.asked_for() == {1: 1, 2: 1}
    assert ledger(settings).remaining == 0

    assert ids(collect(make_settings(rawg_max_games=100, rawg_monthly_quota=3))) == list(range(1, 101))
    assert fake_rawg.asked_for() == {1: 1, 2: 1, 3: 1}


def test_pages_of_repeats_among_good_ones_do_not_end_the_collection(
    fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    games: list[object] = [rawg.game(number) for number in range(1, 1001)]
    good = [games[start : start + 40] for start in range(0, 1000, 40)]
    fake_rawg.pages = [page for number, page in enumerate(good) for page in ([page, page] if number % 2 else [page])]

    assert len(set(ids(collect(make_settings(rawg_max_games=1000))))) == 1000


def test_a_failure_is_not_followed_by_requests_that_cannot_succeed(
    fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.games = [rawg.game(number) for number in range(1, 801)]
    refusal = rawg.status(401, b'{"error": "The monthly API limit reached"}')
    fake_rawg.faults = {number: [refusal] for number in range(2, 21)}

    with pytest.raises(RawgKeyError):
        collect(make_settings(rawg_max_games=800, rawg_concurrency=3))

    assert sum(fake_rawg.asked_for().values()) <= 1 + 3


def test_a_collection_from_another_place_is_not_gone_on_with(fake_rawg: rawg.FakeRawg, make_settings: MakeSettings):
    fake_rawg.faults = {2: [rawg.status(502)] * 8}
    with pytest.raises(RawgUnavailableError):
        collect(make_settings(rawg_max_games=80))
    elsewhere = fake_rawg.base_url.replace("127.0.0.1", "localhost")

    collect(make_settings(rawg_max_games=80, rawg_base_url=elsewhere))

    assert fake_rawg.asked_for() == {1: 2, 2: 9}

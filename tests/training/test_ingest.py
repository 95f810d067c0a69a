from app.core.settings import Settings
from tests.fakes import rawg
from training.ingest import COLUMNS, starter_frame, to_frame
from training.rawg import Page
from training.validation import validate


def page(*games: object) -> Page:
    return Page(b"", list(games), has_next=False)


# The record of a filtered list: no dates and requirements in platforms, no counts in genres, null where nothing is.
FILTERED = {
    "slug": "hades-2018",
    "name": "Hades",
    "playtime": 24,
    "platforms": [{"platform": {"id": 4, "name": "PC", "slug": "pc"}}],
    "stores": None,
    "released": "2020-09-17",
    "rating": 4.5,
    "ratings": [],
    "ratings_count": 0,
    "added": 3,
    "added_by_status": None,
    "metacritic": None,
    "id": 274755,
    "score": None,
    "tags": None,
    "esrb_rating": None,
    "genres": [{"id": 4, "name": "Action", "slug": "action"}],
}


def test_a_record_of_a_plain_list_becomes_a_row():
    frame = to_frame([page(rawg.game(3, name="Portal"))], 10)

    assert list(frame.columns) == list(COLUMNS)
    row = frame.loc[0]
    assert (row["game_id"], row["name"], row["esrb_rating"]) == (3, "Portal", "Mature")
    assert (row["genres"], row["platforms"], row["tags"]) == (["Genre 3"], ["PC"], ["Singleplayer"])


def test_a_record_of_a_filtered_list_becomes_a_row_of_the_same_columns():
    row = to_frame([page(FILTERED)], 10).loc[0]

    assert (row["game_id"], row["genres"], row["platforms"], row["tags"]) == (274755, ["Action"], ["PC"], [])
    assert row["metacritic"] is None
    assert row["background_image"] is None  # a key that is missing altogether


def test_names_that_come_twice_are_taken_once():
    twice = [{"name": "Co-op"}, {"name": "Co-op"}]

    assert to_frame([page(rawg.game(1, tags=twice))], 10).loc[0, "tags"] == ["Co-op"]


def test_rows_end_with_the_number_of_distinct_valid_games_asked_for():
    bad = {**rawg.game(9), "rating": 7}
    pages = [page(rawg.game(1), rawg.game(2), rawg.game(1)), page(rawg.game(2), bad, rawg.game(3), rawg.game(4))]

    assert to_frame(pages, 3)["game_id"].tolist() == [1, 2, 1, 2, 9, 3]


def test_nothing_is_an_empty_frame():
    assert to_frame([], 10).empty


def test_the_starter_catalogue_is_500_valid_games_with_pictures():
    valid, report = validate(starter_frame(), Settings())

    assert (report.rows, report.valid, report.bad) == (500, 500, 0)
    assert valid["background_image"].str.startswith("https://media.rawg.io/media/").all()
    portal = valid[valid["game_id"] == 4200].iloc[0]
    assert (portal["name"], portal["genres"], portal["metacritic"]) == ("Portal 2", ["Shooter", "Puzzle"], 95)

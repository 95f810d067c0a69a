"""Pages, or the starter catalogue, to a frame: one row a record, one column a fact."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from training.rawg import Page
from training.records import Row, flatten, is_valid

STARTER = Path(__file__).parent / "starter" / "games.csv"
COLUMNS = tuple(flatten({}))
_MEDIA = "https://media.rawg.io/media/"


def to_frame(pages: Iterable[Page], max_games: int) -> pd.DataFrame:
    """Lay the records of all pages out as rows, in order, up to `max_games` distinct valid games."""
    seen: set[int] = set()
    rows: list[Row] = []
    for page in pages:
        for row in map(flatten, page.games):
            if is_valid(row):
                seen.add(row["game_id"])
            if len(seen) > max_games:
                return _frame(rows)
            rows.append(row)
    return _frame(rows)


def starter_frame() -> pd.DataFrame:
    """Read the starter catalogue that is shipped with the project."""
    with STARTER.open(encoding="utf-8", newline="") as file:
        return _frame([_starter_row(line) for line in csv.DictReader(file)])


def _frame(rows: list[Row]) -> pd.DataFrame:
    # Objects, so that pandas turns no integer beside a null into a float and judges no type before validation does.
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _starter_row(line: Mapping[str, str]) -> Row:
    return {
        **flatten({}),
        "game_id": int(line["game_id"]),
        "slug": line["slug"],
        "name": line["name"],
        "released": line["released"] or None,
        "rating": float(line["rating"]),
        **{name: int(line[name]) for name in ("ratings_count", "reviews_count", "added", "playtime")},
        "metacritic": int(line["metacritic"]) if line["metacritic"] else None,
        "background_image": f"{_MEDIA}{line['cover']}" if line["cover"] else None,
        "genres": line["genres"].split("|"),
        "platforms": line["platforms"].split("|"),
        "esrb_rating": line["esrb_rating"] or None,
    }

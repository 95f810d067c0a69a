"""Pages to a frame: one row a record, one column a fact, whatever of RAWG's two shapes the record has.

Nothing is judged here: a value of the wrong type goes into the frame as it is, for `validation` to name.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from training.rawg import Page

STARTER = Path(__file__).parent / "starter" / "games.csv"
_MEDIA = "https://media.rawg.io/media/"

# RAWG's own names, for facts that are taken as they come.
_AS_RECEIVED = (
    "slug",
    "name",
    "released",
    "rating",
    "ratings_count",
    "reviews_count",
    "added",
    "metacritic",
    "playtime",
    "background_image",
    "updated",
)
COLUMNS = (
    "game_id",
    *_AS_RECEIVED,
    "genres",
    "platforms",
    "tags",
    "esrb_rating",
    "added_by_status",
    "ratings",
)


def to_frame(pages: Iterable[Page], max_games: int) -> pd.DataFrame:
    """Lay the records of all pages out as rows, in order, up to `max_games` distinct ids; columns as in `COLUMNS`."""
    seen: set[object] = set()
    rows: list[dict[str, object]] = []
    for page in pages:
        for record in page.games:
            row = _row(record)
            if _is_id(row["game_id"]):
                seen.add(row["game_id"])
            if len(seen) > max_games:
                return _frame(rows)
            rows.append(row)
    return _frame(rows)


def starter_frame() -> pd.DataFrame:
    """Read the starter catalogue that is shipped with the project; columns as in `COLUMNS`."""
    with STARTER.open(encoding="utf-8", newline="") as file:
        return _frame([_starter_row(line) for line in csv.DictReader(file)])


def _is_id(value: object) -> bool:
    return type(value) is int


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    # Objects, so that pandas turns no integer beside a null into a float and judges no type before validation does.
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _row(record: object) -> dict[str, object]:
    facts: Mapping[str, object] = record if isinstance(record, dict) else {}
    return {
        "game_id": facts.get("id"),
        **{name: facts.get(name) for name in _AS_RECEIVED},
        "genres": _names(facts.get("genres")),
        "platforms": _names(facts.get("platforms"), "platform"),
        "tags": _names(_in_english(facts.get("tags"))),
        "esrb_rating": _name(facts.get("esrb_rating")),
        "added_by_status": facts.get("added_by_status"),
        "ratings": facts.get("ratings"),
    }


def _name(value: object) -> object:
    """Take the name of `{"name": ...}`; anything else is left as it is."""
    return value["name"] if isinstance(value, dict) and "name" in value else value


def _names(values: object, within: str | None = None) -> object:
    """Take the names of a list of `{"name": ...}`, each maybe `within` a field; no list is an empty one."""
    if values is None:
        return []
    if not isinstance(values, list):
        return values
    inner = [value[within] if within and isinstance(value, dict) and within in value else value for value in values]
    return list(dict.fromkeys(map(_name, inner))) if all(map(_named, inner)) else inner


def _named(value: object) -> bool:
    return isinstance(_name(value), str)


def _in_english(tags: object) -> object:
    """Leave out the tags in other languages, which say the same again."""
    if not isinstance(tags, list):
        return tags
    return [tag for tag in tags if not isinstance(tag, dict) or tag.get("language", "eng") == "eng"]


def _starter_row(line: Mapping[str, str]) -> dict[str, object]:
    return {
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
        "tags": [],
        "esrb_rating": line["esrb_rating"] or None,
    }

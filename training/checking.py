"""From pages to a catalogue of what is valid, with a report of what is not."""

import orjson
import pandas as pd

from app.core.catalogue import Catalogue
from app.core.documents import VALIDATION
from app.core.files import write_atomically
from app.core.settings import Settings
from training import ingest
from training.journal import Journal
from training.pages import Collection
from training.progress import say
from training.validation import ValidationReport, validate


def check(settings: Settings, collection: Collection | None) -> tuple[pd.DataFrame, ValidationReport]:
    """Validate a collection, or the starter catalogue, and write the report to the data folder."""
    if collection is None:
        frame = ingest.starter_frame()
    else:
        frame = ingest.to_frame(collection.pages(), settings.rawg_max_games)
    valid, report = validate(frame, settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(settings.data_dir / "validation.json", orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2))
    return valid, report


def catalogue_of(
    settings: Settings, collection: Collection | None, journal: Journal
) -> tuple[Catalogue, ValidationReport]:
    """Make the catalogue of what is valid; raises `ValidationFailedError` where that is not enough.

    Either way the journal keeps the report.
    """
    valid, found = check(settings, collection)
    journal.keep(VALIDATION, found.to_document())
    if found.bad:
        say(f"Set aside: {found.bad} of {found.rows} records; see `python -m training validate`")
    found.raise_if_stopped()
    catalogue = Catalogue.from_frame(valid)
    say(f"Catalogue: {len(catalogue)} games")
    return catalogue, found

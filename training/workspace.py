"""What the steps of a run leave for each other, where each is a process of its own: files in the run's folder."""

import shutil
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from app.core.catalogue import Catalogue
from app.core.errors import TrainingError
from app.core.files import write_atomically
from app.core.settings import Settings
from training.pages import Collection
from training.records import RecordCounts


class Workspace:
    """A run's folder. Reading what no step has left yet raises `TrainingError`."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        """Use the folder of a run, which need not exist yet."""
        self.folder = settings.data_dir / "runs" / run_id

    def keep_source(self, pages: Collection | None) -> None:
        """Keep where the catalogue comes from."""
        self.write("source", Path | None, pages.folder if pages else None)

    def source(self) -> Collection | None:
        """Read where the catalogue comes from; None for the starter catalogue."""
        folder = self.read("source", Path | None)
        return None if folder is None else Collection.read(folder)

    def keep_catalogue(self, catalogue: Catalogue, records: RecordCounts) -> None:
        """Keep the valid games."""
        self.write("catalogue", list[Any], list(catalogue))
        self.write("records", RecordCounts, records)

    def catalogue(self) -> Catalogue:
        """Read the valid games."""
        return Catalogue.from_games(self.read("catalogue", list[Any]))

    def records(self) -> RecordCounts:
        """Read what the validation counted."""
        found: RecordCounts = self.read("records", RecordCounts)
        return found

    def keep_champion(self, version: str | None) -> None:
        """Keep which version is current while the candidate is trained."""
        self.write("champion", str | None, version)

    def champion(self) -> str | None:
        """Name the version that was current when the candidate was trained."""
        found: str | None = self.read("champion", str | None)
        return found

    def keep_result(self, result: dict[str, Any]) -> None:
        """Keep what came of the run, for machines."""
        self.write("result", dict[str, Any], result)

    def result(self) -> dict[str, Any] | None:
        """Read what came of the run; None where it has not come to its end."""
        return self.read("result", dict[str, Any]) if (self.folder / "result.json").exists() else None

    def keep_error(self, error: str | None) -> None:
        """Keep why a step failed; None once a later attempt went well."""
        self.write("error", str | None, error)

    def error(self) -> str | None:
        """Read why the last step failed."""
        found: str | None = self.read("error", str | None) if (self.folder / "error.json").exists() else None
        return found

    def remove(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name: str, kind: Any, value: object) -> None:
        """Keep what JSON can hold, of a kind that pydantic knows, under a name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = TypeAdapter(kind).dump_python(value, mode="json")
        write_atomically(self.folder / f"{name}.json", orjson.dumps(content))

    def read(self, name: str, kind: Any) -> Any:
        """Read what is kept under a name."""
        try:
            content = (self.folder / f"{name}.json").read_bytes()
        except FileNotFoundError:
            raise missing(name) from None
        return TypeAdapter(kind).validate_json(content)


def missing(name: str) -> TrainingError:
    """Say that a step found nothing of that name."""
    return TrainingError(f"The run's folder holds no {name}: the step that makes it has not gone well.")

"""The commands that look at the published versions: `python -m training models COMMAND`."""

import json
from typing import Annotated

import typer

from training import tables
from training.commands import opened
from training.commands.opened import Json
from training.progress import say

app = typer.Typer(help="The published versions.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the published versions, the newest first."""
    from app.core.artifact import Manifest
    from app.core.errors import ArtifactError
    from app.core.store import ModelStore

    store = ModelStore(opened.settings().model_store)
    listed: list[Manifest | tuple[str, str]] = []
    for version in store.versions():
        try:
            listed.append(store.manifest(version))
        except ArtifactError as broken:
            listed.append((version, str(broken)))
    tables.show(tables.versions_as_json(listed), tables.versions(listed, store.current_version()), as_json=as_json)


@app.command("show")
def show_model(version: Annotated[str, typer.Argument(help="A version's name.")]) -> None:
    """Print a version's manifest."""
    from app.core.store import ModelStore

    manifest = ModelStore(opened.settings().model_store).manifest(version)
    print(json.dumps(manifest.model_dump(mode="json"), indent=2))


@app.command("activate")
def activate_model(version: Annotated[str, typer.Argument(help="A version's name.")]) -> None:
    """Make a published version the current one; a running service takes it over within seconds."""
    from app.core.store import ModelStore

    ModelStore(opened.settings().model_store).activate(version)
    say(f"{version} is current.")


@app.command("prune")
def prune_models(
    keep: Annotated[int | None, typer.Option(min=1, help="How many of the newest stay; else MODELS_KEPT.")] = None,
) -> None:
    """Remove old versions; the current one always stays."""
    from app.core.store import ModelStore

    settings = opened.settings()
    removed = ModelStore(settings.model_store).prune(keep or settings.models_kept)
    say(f"Removed {len(removed)} versions.")

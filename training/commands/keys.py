"""`python -m training keys`: make, list and revoke API keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from app.core import log
from app.core.database import Database
from app.core.keys import MAX_NAME_LENGTH, KeyStore, Scope
from app.core.settings import Settings
from training import tables
from training.progress import say

app = typer.Typer(help="The keys of the API.", no_args_is_help=True)


@app.command("make")
def make_key(
    scope: Annotated[Scope, typer.Option(help="What it opens; a wider one includes the narrower.")],
    name: Annotated[str, typer.Option(help="Whom it is for.")],
) -> None:
    """Make a key and print it, this once: a digest is all that is kept."""
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise typer.BadParameter(f"A name has 1 to {MAX_NAME_LENGTH} letters.", param_hint="--name")
    with _store() as store:
        print(store.make(scope, name.strip()))
    say("Keep it: it is not shown again. A running service knows it at once.")


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """List the keys, the newest first."""
    with _store() as store:
        keys = store.listed()
    tables.show([asdict(key) for key in keys], tables.keys(keys), as_json=as_json)


@app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]) -> None:
    """End a key; a running service refuses it within seconds."""
    with _store() as store:
        store.revoke(key_id)
    say(f"{key_id} is revoked.")


@contextmanager
def _store() -> Iterator[KeyStore]:
    settings = Settings.load()
    log.configure(settings)
    database = Database(settings.database)
    try:
        store = KeyStore(database)
        store.prepare()
        yield store
    finally:
        database.close()

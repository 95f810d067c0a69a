"""`python -m training keys`."""

import json
import re

import pytest

from app.core.database import Database
from app.core.keys import KeyRing, KeyStore, Scope, id_of
from app.core.settings import Settings
from tests.training.conftest import Command


def test_a_key_is_made_listed_and_revoked(command: Command):
    code, out, err = command("keys", "make", "--scope", "write", "--name", " the [shop] ")
    key = out.strip()

    assert (code, out.count("\n")) == (0, 1)
    assert re.fullmatch(r"grk_[0-9a-f]{12}_[\w-]{43}", key)
    assert "not shown again" in err
    grant = KeyRing(KeyStore(Database(Settings().database)).grants()).find(key)
    assert grant
    assert grant.scope is Scope.WRITE

    heading, line = command("keys", "list").out.splitlines()
    assert heading.split() == ["Key", "Scope", "Name", "Made", "(UTC)", "Revoked", "(UTC)"]
    assert re.fullmatch(rf"{id_of(key)} +write +the \[shop\] +[\d-]+ [\d:]+ *", line)

    assert command("keys", "revoke", id_of(key)).err == f"{id_of(key)} is revoked.\n"
    [listed] = json.loads(command("keys", "list", "--json").out)
    assert listed.pop("created_at") <= listed.pop("revoked_at")
    assert listed == {"key_id": id_of(key), "scope": "write", "name": "the [shop]"}
    assert re.search(r"\d\d:\d\d +[\d-]+ \d\d:\d\d", command("keys", "list").out)


def test_a_key_that_is_not_there_cannot_be_revoked(command: Command):
    code, _, err = command("keys", "revoke", "nobody")

    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: There is no valid key nobody; ")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "\udcff"])
def test_a_name_is_a_line_of_text(name: str, command: Command):
    code, _, err = command("keys", "make", "--scope", "read", "--name", name)

    assert code == 2
    assert "A name has 1 to 100 letters" in err


def test_there_are_three_scopes(command: Command):
    code, _, err = command("keys", "make", "--scope", "root", "--name", "me")

    assert code == 2
    assert "read write admin" in re.sub(r"\W+", " ", err)

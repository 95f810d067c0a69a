"""API keys: made, kept as digests, looked up, revoked."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from app.core.database import Database
from app.core.errors import KeyNotFoundError
from app.core.tables import keys

MAX_NAME_LENGTH = 100

_PREFIX = "grk"  # so that a key is known for one where it should not be, by people and by scanners of repositories
_SECRET_BYTES = 32


class Scope(StrEnum):
    """What a key opens; each scope includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Tell whether a key of this scope opens what the other does."""
        return _WIDTH[self] >= _WIDTH[other]


_WIDTH = {scope: width for width, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; times are in seconds since 1970."""

    key_id: str
    scope: Scope
    name: str
    created_at: float
    revoked_at: float | None


class Grant(NamedTuple):
    """A valid key: its id, the SHA-256 of all of it, and what it opens."""

    key_id: str
    digest: bytes
    scope: Scope


class KeyRing:
    """The keys that were valid at one moment, and the admin key of the settings, which always is."""

    def __init__(self, grants: Mapping[str, Grant], admin_key: str | None = None) -> None:
        """Take the grants by the ids of their keys."""
        self._grants = grants
        # Without one, its place is held by a digest that nobody knows a key of.
        digest = digest_of(admin_key) if admin_key else secrets.token_bytes(32)
        self._settings_grant = Grant("", digest, Scope.ADMIN)

    def find(self, key: str) -> Grant | None:
        """Look a key up by its id, and compare it in constant time."""
        digest = digest_of(key)
        grant = self._grants.get(id_of(key), self._settings_grant)
        if hmac.compare_digest(digest, grant.digest):
            return grant
        if hmac.compare_digest(digest, self._settings_grant.digest):
            return self._settings_grant
        return None


class KeyStore:
    """The keys in the database."""

    def __init__(self, database: Database) -> None:
        """Use a database; `prepare` it before anything else."""
        self._database = database

    def prepare(self) -> None:
        """Bring the database up to date."""
        self._database.migrate()

    def make(self, scope: Scope, name: str) -> str:
        """Make a key; it is returned here and never again."""
        with self._database.write() as connection:
            return _make(connection, scope, name)

    def make_first_admin(self) -> str | None:
        """Make an admin key where there is no valid one; of several processes that start together, one makes it."""
        valid = sa.select(keys.c.key_id).where(keys.c.scope == Scope.ADMIN, keys.c.revoked_at.is_(None)).limit(1)
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # which lets one write at a time as it is
                connection.execute(sa.text("LOCK TABLE keys IN EXCLUSIVE MODE"))
            return None if connection.scalar(valid) else _make(connection, Scope.ADMIN, "made at the first start")

    def listed(self) -> list[Key]:
        """Read all keys, the revoked ones too, the newest first."""
        rows = sa.select(keys).order_by(keys.c.created_at.desc(), keys.c.key_id)
        with self._database.read() as connection:
            return [
                Key(row.key_id, Scope(row.scope), row.name, row.created_at, row.revoked_at)
                for row in connection.execute(rows)
            ]

    def revoke(self, key_id: str) -> None:
        """End a key; raises `KeyNotFoundError` where no valid one has this id."""
        one = sa.update(keys).where(keys.c.key_id == key_id, keys.c.revoked_at.is_(None))
        with self._database.write() as connection:
            if not connection.execute(one.values(revoked_at=time.time())).rowcount:
                raise KeyNotFoundError(key_id)

    def grants(self) -> dict[str, Grant]:
        """Read all valid keys, by their ids."""
        valid = sa.select(keys.c.key_id, keys.c.digest, keys.c.scope).where(keys.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return {
                row.key_id: Grant(row.key_id, bytes(row.digest), Scope(row.scope)) for row in connection.execute(valid)
            }


def digest_of(key: str) -> bytes:
    """Digest a key; its secret has too many bits to be found by trying, so a fast digest will do."""
    return hashlib.sha256(key.encode()).digest()


def id_of(key: str) -> str:
    """Read the id out of a key; empty for what was not made here."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    return key_id if prefix == _PREFIX and secret else ""


def _make(connection: sa.Connection, scope: Scope, name: str) -> str:
    key_id = secrets.token_hex(6)
    key = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    row = {"key_id": key_id, "digest": digest_of(key), "scope": scope, "name": name, "created_at": time.time()}
    connection.execute(sa.insert(keys), row)
    return key

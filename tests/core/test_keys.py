"""API keys."""

import hmac
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.core import tables
from app.core.database import Database
from app.core.errors import KeyNotFoundError
from app.core.keys import Grant, KeyRing, KeyStore, Scope, digest_of, id_of


@pytest.fixture
def keys(database_url: str) -> Iterator[KeyStore]:
    database = Database(database_url)
    store = KeyStore(database)
    store.prepare()
    yield store
    database.close()


def test_a_key_opens_what_it_was_made_for(keys: KeyStore):
    key = keys.make(Scope.WRITE, "shop")

    ring = KeyRing(keys.grants())

    assert ring.find(key) == Grant(id_of(key), digest_of(key), Scope.WRITE)
    assert ring.find(key[:-1]) is None
    assert ring.find(key + "x") is None
    assert ring.find(f"grk_{'0' * 12}_{key.split('_', 2)[2]}") is None


@pytest.mark.parametrize("key", ["", "x", "grk", "grk_", "grk__", "grk_0123", "grk_0123_", "other_0123_secret", "ключ"])
def test_what_was_not_made_here_has_no_id_and_opens_nothing(key: str):
    assert id_of(key) == ""
    assert KeyRing({}).find(key) is None
    assert KeyRing({}, "the key of the settings").find(key) is None


def test_a_wider_scope_includes_the_narrower():
    wide = {scope: [other.value for other in Scope if scope.includes(other)] for scope in Scope}

    assert wide == {"read": ["read"], "write": ["read", "write"], "admin": ["read", "write", "admin"]}


def test_a_key_is_long_and_never_the_same_twice(keys: KeyStore):
    made = [keys.make(Scope.READ, "shop") for _ in range(20)]

    assert len(set(made)) == 20
    assert len({id_of(key) for key in made}) == 20
    assert all(len(key.split("_", 2)[2]) == 43 for key in made)  # 32 bytes


def test_the_secret_is_nowhere_in_the_database(keys: KeyStore, database_url: str):
    key = keys.make(Scope.ADMIN, "me")

    database = Database(database_url)
    with database.read() as connection:
        kept = repr(connection.execute(sa.select(tables.keys)).all())
    database.close()
    assert id_of(key) in kept
    assert key.split("_", 2)[2] not in kept


def test_keys_are_compared_in_constant_time(keys: KeyStore, monkeypatch: pytest.MonkeyPatch):
    key = keys.make(Scope.READ, "shop")
    ring = KeyRing(keys.grants(), "the key of the settings")
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)

    assert ring.find(key)
    assert ring.find(f"{key[:-1]}!") is None
    assert ring.find("a key that nobody made") is None
    assert [digest_of(key)] * 2 in [list(pair) for pair in compared]
    assert len(compared) == 5  # one for the right key, two for each wrong one


def test_a_revoked_key_opens_nothing_and_is_still_listed(keys: KeyStore):
    key, other = keys.make(Scope.READ, "shop"), keys.make(Scope.ADMIN, "me")

    keys.revoke(id_of(key))

    assert set(keys.grants()) == {id_of(other)}
    listed = {one.key_id: one for one in keys.listed()}
    assert (listed[id_of(key)].name, listed[id_of(other)].scope) == ("shop", Scope.ADMIN)
    assert listed[id_of(key)].created_at <= (listed[id_of(key)].revoked_at or 0)
    assert listed[id_of(other)].revoked_at is None


def test_a_key_is_revoked_once(keys: KeyStore):
    key_id = id_of(keys.make(Scope.READ, "shop"))
    keys.revoke(key_id)

    for wrong in (key_id, "nobody", "' OR 1=1 --"):
        with pytest.raises(KeyNotFoundError, match="There is no valid key"):
            keys.revoke(wrong)


def test_of_many_that_start_together_one_makes_the_first_admin_key(keys: KeyStore, database_url: str):
    databases = [Database(database_url) for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        made = [key for key in threads.map(lambda one: KeyStore(one).make_first_admin(), databases) if key]
    for database in databases:
        database.close()

    assert len(made) == 1
    assert [key.key_id for key in keys.listed()] == [id_of(made[0])]
    assert KeyRing(keys.grants()).find(made[0])


def test_where_all_admin_keys_are_revoked_another_is_made(keys: KeyStore):
    first = keys.make_first_admin()
    assert first
    assert keys.make_first_admin() is None
    keys.make(Scope.WRITE, "shop")

    keys.revoke(id_of(first))

    assert keys.make_first_admin() not in {None, first}


def test_the_key_of_the_settings_opens_everything():
    ring = KeyRing({"0123": Grant("0123", digest_of("grk_0123_secret"), Scope.READ)}, "the key of the settings")

    assert (ring.find("the key of the settings") or ring).scope is Scope.ADMIN  # type: ignore[union-attr]
    assert (ring.find("grk_0123_secret") or ring).scope is Scope.READ  # type: ignore[union-attr]


def test_the_key_of_the_settings_may_look_like_one_of_the_others():
    ring = KeyRing({"0123": Grant("0123", digest_of("grk_0123_secret"), Scope.READ)}, "grk_0123_another")

    assert (ring.find("grk_0123_another") or ring).scope is Scope.ADMIN  # type: ignore[union-attr]

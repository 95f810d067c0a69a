"""What is kept by name, on both databases."""

import time
from collections.abc import Iterator

import pytest

from app.core.database import Database
from app.core.documents import Document, Documents


@pytest.fixture
def documents(database_url: str) -> Iterator[Documents]:
    database = Database(database_url)
    database.migrate()
    yield Documents(database)
    database.close()


def test_the_last_one_put_is_what_is_there(documents: Documents):
    assert documents.get("validation") is None

    documents.put("validation", {"rows": 1})
    documents.put("validation", {"rows": 2, "reasons": ["é"]})
    documents.put("quota", [])

    kept = documents.get("validation")
    assert isinstance(kept, Document)
    assert kept.body == {"rows": 2, "reasons": ["é"]}
    assert abs(kept.at - time.time()) < 60


def test_what_is_put_once_stays(documents: Documents):
    assert documents.put_once("secret", "a") == "a"
    assert documents.put_once("secret", "b") == "a"

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.errors import CollectionError, QuotaReachedError
from training.ledger import RequestLedger


def test_a_new_month_begins_with_nothing_spent(tmp_path: Path):
    clock = [datetime(2026, 11, 30, 23, 59, tzinfo=UTC)]
    ledger = RequestLedger(tmp_path / "requests.json", 2, lambda: clock[0])
    ledger.spend()
    ledger.spend()
    with pytest.raises(QuotaReachedError):
        ledger.spend()

    clock[0] = datetime(2026, 12, 1, tzinfo=UTC)

    assert ledger.remaining == 2
    ledger.spend()
    assert RequestLedger(tmp_path / "requests.json", 5, lambda: clock[0]).remaining == 4


def test_a_smaller_quota_leaves_nothing_rather_than_less(tmp_path: Path):
    ledger = RequestLedger(tmp_path / "requests.json", 2)
    ledger.spend()
    ledger.spend()

    assert RequestLedger(tmp_path / "requests.json", 1).remaining == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"2026-11": "many"}'])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, content: str):
    (tmp_path / "requests.json").write_text(content)

    with pytest.raises(CollectionError, match=r"requests\.json, cannot be read"):
        RequestLedger(tmp_path / "requests.json", 1).spend()


def test_the_same_month_of_another_year_is_another_month(tmp_path: Path):
    clock = [datetime(2026, 11, 1, tzinfo=UTC)]
    ledger = RequestLedger(tmp_path / "requests.json", 2, lambda: clock[0])
    ledger.spend()
    clock[0] = datetime(2027, 11, 1, tzinfo=UTC)
    ledger.spend()

    assert ledger.remaining == 1
    assert json.loads((tmp_path / "requests.json").read_bytes()) == {"2026-11": 1, "2027-11": 1}


def test_what_is_spent_and_what_may_be_is_told(tmp_path: Path):
    clock = [datetime(2026, 11, 30, tzinfo=UTC)]
    ledger = RequestLedger(tmp_path / "requests.json", 10, lambda: clock[0])
    ledger.spend()
    ledger.spend()

    assert (ledger.spent, ledger.limit, ledger.remaining) == (2, 10, 8)
    assert RequestLedger(tmp_path / "requests.json", 1, lambda: clock[0]).spent == 2
    clock[0] = datetime(2026, 12, 1, tzinfo=UTC)
    assert ledger.spent == 0

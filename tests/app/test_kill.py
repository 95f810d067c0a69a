"""`kill -9` of the service while it is written to."""

import contextlib
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

import pytest

from app.core.interactions import InteractionStore
from app.core.store import ModelStore
from tests.app.test_start import Service, unmeasured
from tests.app.test_workers import workers
from tests.worlds import publish

pytestmark = pytest.mark.untraced

KEY = "admin-key-of-the-tests"
WRITERS = 4


def write_until_it_dies(service: Service, writer: int, acknowledged: set[tuple[str, int]]) -> None:
    """Post plays one after the other, and note those that are answered."""
    headers = {"Content-Type": "application/json", "X-API-Key": KEY}
    for number in range(1, 100_000):
        rows = [{"user_id": f"w{writer}", "game_id": 2 * number + more, "kind": "play", "hours": 1} for more in (0, 1)]
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{service.address}/interactions", json.dumps(rows).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # likewise
                assert json.load(answer)["stored"] == len(rows)
        except (OSError, HTTPException):
            return
        acknowledged.update((f"w{writer}", 2 * number + more) for more in (0, 1))


@pytest.mark.parametrize(("database_url", "processes"), [("sqlite", "1"), ("postgres", "2")], indirect=["database_url"])
def test_what_was_acknowledged_outlives_kill_9(processes: str, database_url: str):
    publish(ModelStore(Path("models")))
    acknowledged: set[tuple[str, int]] = set()
    with unmeasured(ADMIN_API_KEY=KEY, DATABASE_URL=database_url, WORKERS=processes) as service:
        service.wait_for("startup complete")
        writers = [
            threading.Thread(target=write_until_it_dies, args=(service, number, acknowledged))
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        until = time.monotonic() + 20
        while len(acknowledged) < 400:
            assert time.monotonic() < until
            time.sleep(0.01)
        victims = [service.process.pid, *(workers(service) if processes != "1" else [])]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for writer in writers:
            writer.join()

    store = InteractionStore.open(database_url)
    kept = {(user_id, game_id) for user_id, game_id, *_ in store.rows()}
    assert acknowledged <= kept
    assert len(kept - acknowledged) <= 2 * WRITERS
    # A request is stored whole or not at all.
    assert all((user_id, game_id ^ 1) in kept for user_id, game_id in kept)
    store.database.close()
    with unmeasured(ADMIN_API_KEY=KEY, DATABASE_URL=database_url) as service:
        again = {"user_id": "w0", "game_id": 7, "kind": "like"}
        assert service.post("/interactions", again, **{"X-API-Key": KEY})["stored"] == 1

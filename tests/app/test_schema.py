"""The whole OpenAPI document against a running service: whatever is sent, the answer is what the document says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.store import ModelStore
from tests.app.test_start import ROOT, unmeasured
from tests.worlds import publish

pytestmark = pytest.mark.untraced

KEY = "admin-key-of-the-tests"


@pytest.mark.timeout(240)
def test_every_answer_is_what_the_document_says():
    """All checks of Schemathesis, in all phases; the seed is fixed, so that it finds the same each time."""
    publish(ModelStore(Path("models")))
    with unmeasured(ADMIN_API_KEY=KEY, RETRAIN_ENABLED="false") as service:  # runs are queued, and wait
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.address}/openapi.json"),
                *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
                *("--header", f"X-API-Key: {KEY}"),
                *("--max-examples", "3", "--seed", "1", "--generation-deterministic"),
                *("--exclude-path-regex", "/events$"),  # a stream has no end while its run waits
                *("--no-color", "--warnings", "off", "--no-shrink"),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Server error" not in done.stdout

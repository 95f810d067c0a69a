"""A stand-in for a Weights & Biases server: it takes runs, files and artifacts, and keeps what it was told."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

KEY = "k" * 40  # as long as a real one

_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")


@dataclass
class FakeWandb:
    """What was told: the variables of each GraphQL operation by its name, the content of each file by its path."""

    base_url: str
    told: dict[str, list[Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """Answer as the server does."""
        with self._lock:
            if request.authorization and request.authorization.password:
                self.keys.add(request.authorization.password)
            if request.path == "/graphql":
                return self._answer_query(request.get_json())
            self.files[request.path.removeprefix("/up/")] = request.get_data()
        return Response("{}", content_type="application/json")

    def _answer_query(self, query: dict[str, Any]) -> Response:
        found = _OPERATION.search(query["query"])
        operation, variables = found[1] if found else "", query.get("variables") or {}
        self.told.setdefault(operation, []).append(variables)
        return Response(json.dumps({"data": self._data(operation, variables)}), content_type="application/json")

    def _data(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        if operation == "UpsertBucket":
            project = {"id": "project", "name": variables["project"], "entity": {"id": "entity", "name": "me"}}
            bucket = {"id": "run", "name": variables["name"], "displayName": "", "config": "{}", "project": project}
            return {"upsertBucket": {"bucket": {**bucket, "historyLineCount": 0}, "inserted": True}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.base_url}/up/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}
        if operation == "CreateArtifact":
            artifact = {"id": "artifact", "state": "PENDING", "artifactSequence": {"id": "s", "latestArtifact": None}}
            return {"createArtifact": {"artifact": artifact}}
        if operation in {"CreateArtifactManifest", "UpdateArtifactManifest"}:
            file = {"id": "file", "name": "", "displayName": "", **self._place("wandb_manifest.json")}
            manifest = {"artifactManifest": {"id": "manifest", "file": file}}
            return {operation[0].lower() + operation[1:]: manifest}
        if operation == "CreateArtifactFiles":
            names = [file["name"] for file in variables["input"]["artifactFiles"]]
            nodes = [{**self._place(f"artifact/{name}"), "artifact": {"id": "artifact"}} for name in names]
            return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
        return _FIXED[operation]

    def _place(self, name: str) -> dict[str, Any]:
        upload: dict[str, Any] = {
            "uploadUrl": f"{self.base_url}/up/{name}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
        }
        return {"storagePath": name, **upload}


_FIXED: dict[str, dict[str, Any]] = {
    "ArtifactType": {"project": {"artifact": None}},
    "CommitArtifact": {"commitArtifact": {"artifact": {"id": "artifact", "digest": ""}}},
    "ServerFeaturesQuery": {"serverInfo": {"features": []}},
    "Viewer": {"viewer": {"id": "me", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}},
}


@contextmanager
def serve() -> Iterator[FakeWandb]:
    """Serve until the block ends."""
    with HTTPServer(threaded=True) as server:
        fake = FakeWandb(server.url_for("").rstrip("/"))
        server.expect_request(re.compile(".*")).respond_with_handler(fake.answer)
        yield fake

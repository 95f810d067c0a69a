"""The yardstick of `serve.py`: a bare FastAPI route that returns a constant body."""

import os

from fastapi import FastAPI, Response


def create_app() -> FastAPI:
    """Build an application with one route, whose body has the size that `BARE_BYTES` says."""
    body = b'"' + b"x" * (int(os.environ["BARE_BYTES"]) - 2) + b'"'
    app = FastAPI()

    @app.get("/bare")
    async def bare() -> Response:
        return Response(body, media_type="application/json")

    return app

"""`GET /docs`: the OpenAPI page, from files of our own, so that it works without the internet."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.core.histories import MAX_GAME_ID

router = APIRouter(include_in_schema=False)

_FILES = "/docs/files"


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Show the OpenAPI page."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Game recommender: the API",
        swagger_js_url=f".{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f".{_FILES}/swagger-ui.css",
        swagger_favicon_url=f".{_FILES}/favicon-32x32.png",
        swagger_ui_parameters={"tryItOutEnabled": True},
    )


def install(app: FastAPI) -> None:
    """Add the page and its files to an application that has no such page of its own."""
    describe = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = describe()
        _state_exactly(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    app.mount(_FILES, StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.include_router(router)


def _state_exactly(described: Any) -> None:
    """Write the largest game id as it is: FastAPI writes limits as floats, and the nearest one is no game id."""
    if isinstance(described, dict) and described.get("maximum") == float(MAX_GAME_ID):
        described["maximum"] = MAX_GAME_ID
    for part in described.values() if isinstance(described, dict) else described:
        if isinstance(part, dict | list):
            _state_exactly(part)

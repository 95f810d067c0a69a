"""`GET /docs`: the OpenAPI page, from files of our own, so that it works without the internet."""

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

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


@router.get("/")
async def root() -> RedirectResponse:
    """Lead to the OpenAPI page."""
    return RedirectResponse("docs")


def install(app: FastAPI) -> None:
    """Add the page and its files to an application that has no such page of its own."""
    app.mount(_FILES, StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.include_router(router)

"""The pages for people, and their files."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from app import page_session
from app.core.errors import ModelNotLoadedError
from app.live_model import LiveModel
from app.pages import HEADERS, LANGUAGE_COOKIE, LANGUAGES, Pages, Visit, pack

router = APIRouter(include_in_schema=False)

_YEAR_SECONDS = 365 * 24 * 3600
_KEPT = f"public, max-age={_YEAR_SECONDS}, immutable"
_PACKED = {"Content-Encoding": "gzip"}


async def _visit(request: Request) -> Visit:
    query = request.query_params
    return Visit(
        query=tuple((name, value) for name, value in query.multi_items() if name != "lang"),
        asked=query.get("lang"),
        remembered=request.cookies.get(LANGUAGE_COOKIE),
        accepted=request.headers.get("Accept-Language", ""),
    )


Visited = Annotated[Visit, Depends(_visit)]


@router.get("/")
async def player_page(request: Request, visit: Visited) -> HTMLResponse:
    """Show the page for players."""
    response = _page(request, "player", visit, data_kind=_data_kind(request), writes=page_session.may_write(request))
    page_session.open(request, response)
    return response


@router.get("/ops")
async def operator_page(request: Request, visit: Visited) -> HTMLResponse:
    """Show the page for whoever runs the service: an empty shell, which asks the API with a key."""
    return _page(request, "ops", visit)


@router.get("/static/{digest}/{path:path}")
async def static_file(request: Request, digest: str, path: str) -> Response:
    """Send a file of the pages; under an earlier digest the file as it is now, which is not kept."""
    pages: Pages = request.app.state.pages
    asset = pages.asset(path)
    if asset is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    kept = _KEPT if digest == pages.digest else "no-cache"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    body = asset.body
    if _takes_packed(request):
        body, headers = asset.packed, {**headers, **_PACKED}
    return Response(body, media_type=asset.media_type, headers=headers)


def _page(request: Request, name: str, visit: Visit, **facts: object) -> HTMLResponse:
    pages: Pages = request.app.state.pages
    body, headers = pages.render(name, visit, **facts).encode(), HEADERS
    if _takes_packed(request):
        body, headers = pack(body), {**headers, **_PACKED}
    response = HTMLResponse(body, headers=dict(headers))
    if visit.asked in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, visit.language, max_age=_YEAR_SECONDS, samesite="lax", httponly=True)
    return response


def _takes_packed(request: Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _data_kind(request: Request) -> str:
    """Tell of whom the live model has learnt; empty before the first."""
    live: LiveModel = request.app.state.live_model
    try:
        return live.loaded.manifest.data_kind
    except ModelNotLoadedError:
        return ""

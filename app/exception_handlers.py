"""Errors as `application/problem+json`: one table turns each kind into a status code and a stable type."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.core.errors import (
    AnswerTooSlowError,
    ArtifactError,
    BodyTooLargeError,
    BodyTooSlowError,
    DatabaseError,
    ForbiddenError,
    GameNotFoundError,
    GameRecommenderError,
    ImportFailedError,
    ImportTooLargeError,
    InteractionNotFoundError,
    KeysUnavailableError,
    ModelNotLoadedError,
    NoPageSessionError,
    NotSameOriginError,
    PageWritesOffError,
    RunEndedError,
    RunInProgressError,
    RunNotFoundError,
    ServiceStoppingError,
    StoreNotWritableError,
    TooManyRequestsError,
    UnauthorizedError,
    VersionNotFoundError,
)
from app.schemas import Problem, Violation
from app.tally import Tally

log = structlog.get_logger(__name__)


class Kind(NamedTuple):
    """How a kind of error is answered."""

    status: HTTPStatus
    slug: str
    title: str
    headers: Mapping[str, str] = {}


class _ProblemResponse(Response):
    """An answer with a problem, which is counted where it is of our making."""

    media_type = "application/problem+json"
    slug = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, and send."""
        if self.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            scope["app"].state.tally.problems[self.slug] += 1
        await super().__call__(scope, receive, send)


_MOST_SHOWN = 10  # a thousand wrong inputs are not answered with a thousand sentences

INVALID_REQUEST = Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request")
INTERNAL_ERROR = Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Internal error")

KINDS: Mapping[type[GameRecommenderError], Kind] = {
    GameNotFoundError: Kind(HTTPStatus.NOT_FOUND, "game-not-found", "Game not found"),
    ImportTooLargeError: Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "import-too-large", "File too large"),
    ImportFailedError: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "import-failed", "File cannot be imported"),
    VersionNotFoundError: Kind(HTTPStatus.NOT_FOUND, "version-not-found", "Version not found"),
    RunNotFoundError: Kind(HTTPStatus.NOT_FOUND, "run-not-found", "Run not found"),
    RunInProgressError: Kind(HTTPStatus.CONFLICT, "run-in-progress", "Another run is going on"),
    RunEndedError: Kind(HTTPStatus.CONFLICT, "run-ended", "The run has ended"),
    ArtifactError: Kind(HTTPStatus.CONFLICT, "model-unusable", "Model cannot be used"),
    StoreNotWritableError: Kind(
        HTTPStatus.INSUFFICIENT_STORAGE, "model-store-not-writable", "The model store cannot be written to"
    ),
    InteractionNotFoundError: Kind(HTTPStatus.NOT_FOUND, "interaction-not-found", "Interaction not found"),
    DatabaseError: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "database-unavailable", "Database unavailable", {"Retry-After": "2"}
    ),
    ServiceStoppingError: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "service-stopping", "Stopping", {"Retry-After": "5"}),
    ModelNotLoadedError: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "model-not-loaded", "No model", {"Retry-After": "2"}),
    UnauthorizedError: Kind(
        HTTPStatus.UNAUTHORIZED, "unauthorized", "A valid key is needed", {"WWW-Authenticate": "APIKey"}
    ),
    PageWritesOffError: Kind(HTTPStatus.FORBIDDEN, "page-writes-off", "The page may not write"),
    NotSameOriginError: Kind(HTTPStatus.FORBIDDEN, "not-same-origin", "Not from the page"),
    NoPageSessionError: Kind(
        HTTPStatus.UNAUTHORIZED, "no-page-session", "The page's session is over", {"WWW-Authenticate": "PageSession"}
    ),
    ForbiddenError: Kind(HTTPStatus.FORBIDDEN, "forbidden", "The key does not allow this"),
    KeysUnavailableError: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "keys-unavailable", "Keys cannot be checked"),
    TooManyRequestsError: Kind(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
    BodyTooLargeError: Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "The body is too large"),
    BodyTooSlowError: Kind(
        HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "The body did not arrive in time", {"Connection": "close"}
    ),
    AnswerTooSlowError: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "answer-timeout", "The answer took too long"),
}


def documented(*errors: type[GameRecommenderError], inputs: bool = True) -> dict[int | str, dict[str, Any]]:
    """Describe a route's error answers for the OpenAPI page: those given, and wrong inputs where it takes any."""
    kinds = [*([INVALID_REQUEST] if inputs else []), *(KINDS[error] for error in errors)]
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    titles: dict[int, list[str]] = {}
    for kind in kinds:
        titles.setdefault(int(kind.status), []).append(kind.title)
    return {status: {"description": ", or ".join(told), "content": content} for status, told in titles.items()}


def answer(error: GameRecommenderError) -> Response:
    """Answer with an error of one of the `KINDS`."""
    kind = next(kind for known, kind in KINDS.items() if isinstance(error, known))
    if error.retry_after is not None:
        kind = kind._replace(headers={**kind.headers, "Retry-After": str(error.retry_after)})
    return _answer(kind, str(error))


def path_of(run_id: str) -> str:
    """Tell where a run is followed."""
    return f"/retrain/{run_id}"


def _answer(kind: Kind, detail: str, **more: Any) -> Response:
    problem = Problem(type=f"urn:problem:{kind.slug}", title=kind.title, status=kind.status, detail=detail, **more)
    response = _ProblemResponse(
        problem.model_dump_json(exclude_none=True), status_code=kind.status, headers=dict(kind.headers)
    )
    response.slug = kind.slug
    return response


async def _known_error(request: Request, error: GameRecommenderError) -> Response:
    return answer(error) if isinstance(error, tuple(KINDS)) else await _unexpected(request, error)


async def _database_error(_request: Request, error: DatabaseError) -> Response:
    # Which database it is, and what it said, is for whoever runs the service.
    log.warning("a request needed the database", reason=str(error))
    return _answer(KINDS[DatabaseError], "The database cannot be used right now, and nothing was changed; try again.")


async def _run_in_progress(_request: Request, error: RunInProgressError) -> Response:
    kind = KINDS[RunInProgressError]
    if error.run_id is not None:
        kind = kind._replace(headers={"Location": path_of(error.run_id)})
    return _answer(kind, str(error), run_id=error.run_id)


async def _invalid_request(_request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    violations = [Violation(field=".".join(map(str, one["loc"])), message=one["msg"]) for one in found[:_MOST_SHOWN]]
    told = "; ".join(f"{violation.field}: {violation.message}" for violation in violations)
    more = f"; and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
    return _answer(INVALID_REQUEST, told + more, errors=violations)


async def _http_error(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:  # FastAPI's word for a body that is no JSON, or nested too deeply
        return _answer(INVALID_REQUEST, "body: cannot be read as JSON")
    headers = error.headers or {}
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**headers, **_allowed(request)}
    kind = Kind(status, status.phrase.lower().replace(" ", "-"), status.phrase, headers)
    return _answer(kind, f"{status.description or status.phrase}.")


def _allowed(request: Request) -> dict[str, str]:
    """List all methods of a path, where Starlette lists those of the first route with it."""
    path = getattr(request.scope.get("route"), "path_format", None)
    methods = request.app.openapi()["paths"].get(path)
    return {"Allow": ", ".join(sorted(method.upper() for method in methods))} if methods else {}


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return _answer(INTERNAL_ERROR, "Something went wrong here. It is in the service's log.")


def install(app: FastAPI, tally: Tally | None = None) -> None:
    """Let every error of the application be answered and counted here, and describe the answers on its OpenAPI page."""
    app.state.tally = tally or Tally()
    describe = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = describe()
        _, schemas = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        document["components"]["schemas"].update(schemas["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    # Starlette types the error of every handler as Exception, but hands each only its own kind.
    app.add_exception_handler(GameRecommenderError, _known_error)  # type: ignore[arg-type]
    app.add_exception_handler(DatabaseError, _database_error)  # type: ignore[arg-type]
    app.add_exception_handler(RunInProgressError, _run_in_progress)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid_request)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _unexpected)

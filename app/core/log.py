"""Logging: structlog in front, one handler on standard error behind, for our lines and the libraries' alike."""

import logging
import sys
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from app.core.settings import Settings

_HANDLER = "game-recommender"
# The INFO and DEBUG lines of the first two print whole URLs, and RAWG's key travels in the URL; the others' say nothing
# to whoever runs this.
_QUIET_LOGGERS = ("httpx", "httpcore", "alembic", "matplotlib", "numba")
# It warns every two seconds of what is late because the database is away, which is told once by whoever needs it.
_ALMOST_SILENT_LOGGER = "apscheduler"


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the time: a progress bar puts something of its own there."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """Take no other stream."""


def _drop_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn says the same again, in colours
    return event


def _to_json(event: EventDict, **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()


def configure(settings: Settings) -> None:
    """Send every log line of this process to standard error in the configured level and format."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _drop_colours,
    ]
    renderer: Processor
    if settings.log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(serializer=_to_json)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default one prints the variables of every frame, and a key may be among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _StandardErrorHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        ),
    )
    handler.name = _HANDLER
    root = logging.getLogger()
    root.handlers = [*(other for other in root.handlers if other.name != _HANDLER), handler]
    root.setLevel(settings.log_level)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_ALMOST_SILENT_LOGGER).setLevel(logging.ERROR)

"""`python -m app`: train a first model where there is none, then serve."""

import signal
import sys
from types import FrameType
from typing import NoReturn

import uvicorn

from app.core import log
from app.core.errors import GameRecommenderError, one_line
from app.core.settings import Settings
from app.first_model import train_first
from app.metrics_folder import metrics_folder

_STOPPED_BY_SIGNAL = 128  # plus the signal's number, as shells have it


def main() -> int:
    """Run the service until it is told to stop; the exit code is 1, after one line, where it cannot start."""
    # As an exception, so that on the way out the trainer of a first model is ended as well.
    signal.signal(signal.SIGTERM, _exit)
    try:
        settings = Settings.load()
        log.configure(settings)
        train_first(settings)
        with metrics_folder():
            _serve(settings)
    except (GameRecommenderError, OSError) as error:  # OSError: a folder that may not be read
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _STOPPED_BY_SIGNAL + signal.SIGINT
    return 0


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_STOPPED_BY_SIGNAL + number)


def _serve(settings: Settings) -> None:
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )


if __name__ == "__main__":
    sys.exit(main())

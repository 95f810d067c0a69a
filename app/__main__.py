"""`python -m app`: train a first model where there is none, then serve."""

import sys

import uvicorn

from app.core import log
from app.core.errors import GameRecommenderError
from app.core.settings import Settings
from app.retraining import train_if_needed


def main() -> int:
    """Run the service until it is told to stop; the exit code is 1, after one line, where it cannot start."""
    try:
        settings = Settings.load()
        log.configure(settings)
        train_if_needed(settings)
    except (GameRecommenderError, OSError) as error:  # OSError: a folder that may not be read
        print(f"error: {error}", file=sys.stderr)
        return 1
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

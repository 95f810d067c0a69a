"""Every error that this project raises on purpose.

    GameRecommenderError
    ├── SettingsError          a setting is missing or has a wrong value
    ├── CollectionError        the catalogue could not be collected
    │   ├── RawgKeyError       RAWG refuses the key
    │   ├── RawgUnavailableError   RAWG did not give a page, however often it was asked
    │   └── QuotaReachedError  the month's requests are spent
    ├── ValidationFailedError  too few games, or too many bad ones, to train on
    ├── DatabaseError          the database cannot be reached, or cannot do what it is asked
    ├── ImportFailedError      a file of plays cannot be read
    ├── BenchmarkError         there is nothing that methods could be compared by
    ├── TrainingError          there is nothing a model could be made of
    ├── RunInProgressError     another run holds the lock
    ├── ArtifactError          a published version is broken, altered or of another format
    ├── PublishError           a version could not be written
    ├── VersionNotFoundError   there is no such published version
    ├── ModelNotLoadedError    the service has no model yet
    ├── GameNotFoundError      the catalogue has no such game
    └── InteractionNotFoundError   nothing like it is kept of the player

The message of each is one sentence that a person can act on, and holds no secret.
"""


def one_line(error: Exception) -> str:
    """Say what went wrong in one line, of an error of ours or of the operating system's."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class GameRecommenderError(Exception):
    """The root: whatever is caught as this has a message fit for a user."""


class SettingsError(GameRecommenderError):
    """A setting is missing or has a wrong value."""


class CollectionError(GameRecommenderError):
    """The catalogue could not be collected."""


class RawgKeyError(CollectionError):
    """RAWG refuses the key."""


class RawgUnavailableError(CollectionError):
    """RAWG did not give a page, however often it was asked."""


class QuotaReachedError(CollectionError):
    """The month's requests are spent."""


class ValidationFailedError(GameRecommenderError):
    """Too few games, or too many bad ones, to train on."""


class DatabaseError(GameRecommenderError):
    """The database cannot be reached, or cannot do what it is asked."""


class ImportFailedError(GameRecommenderError):
    """A file of plays cannot be read."""


class BenchmarkError(GameRecommenderError):
    """There is nothing that methods could be compared by."""


class TrainingError(GameRecommenderError):
    """There is nothing a model could be made of."""


class RunInProgressError(GameRecommenderError):
    """Another run holds the lock."""


class ArtifactError(GameRecommenderError):
    """A published version is broken, altered or of another format."""


class PublishError(GameRecommenderError):
    """A version could not be written."""


class VersionNotFoundError(GameRecommenderError):
    """There is no such published version."""


class ModelNotLoadedError(GameRecommenderError):
    """The service has no model yet."""


class GameNotFoundError(GameRecommenderError):
    """The catalogue has no such game."""

    def __init__(self, game_id: int) -> None:
        """Name the game that was asked for."""
        super().__init__(f"There is no game {game_id} in the catalogue.")


class InteractionNotFoundError(GameRecommenderError):
    """Nothing like it is kept of the player."""

    def __init__(self, user_id: str, game_id: int, kind: str) -> None:
        """Name the interaction that was asked for."""
        super().__init__(f"There is no {kind} of game {game_id} by the player {user_id!r}.")

"""Every error that this project raises on purpose.

    GameRecommenderError
    ├── SettingsError          a setting is missing or has a wrong value
    ├── CollectionError        the catalogue could not be collected
    │   ├── RawgKeyError       RAWG refuses the key
    │   ├── RawgUnavailableError   RAWG did not give a page, however often it was asked
    │   └── QuotaReachedError  the month's requests are spent
    ├── ValidationFailedError  too few games, or too many bad ones, to train on
    ├── DatabaseError          the database cannot be reached, or cannot do what it is asked
    ├── ImportFailedError      a file of interactions cannot be read
    │   └── ImportTooLargeError    it is larger than the service takes
    ├── ExportFailedError      the interactions cannot be written to a file
    ├── BackupFailedError      there is nothing to back up, or it cannot be written
    ├── RestoreRefusedError    a backup is not whole, or its place is not empty; nothing was changed
    ├── SteamError             Steam does not give a player's library
    ├── BenchmarkError         there is nothing that methods could be compared by
    ├── TrainingError          there is nothing a model could be made of
    ├── TrackingError          Weights & Biases does not take the record of a training
    ├── RunInProgressError     another run is going on, or waits
    ├── RunNotFoundError       there is no such run
    ├── RunEndedError          the run has ended, and cannot be changed any more
    ├── RunStoppedError        the run was told to stop, or was taken for dead
    ├── SlackError             Slack does not take a message
    │   └── MessageRefusedError    it cannot read it, and would not the next time either
    ├── ArtifactError          a published version is broken, altered or of another format
    ├── PublishError           a version could not be written
    ├── StoreNotWritableError  the model store takes no change: it is read-only, or its disk is full
    ├── VersionNotFoundError   there is no such published version
    ├── ModelNotLoadedError    the service has no model yet
    ├── ServiceStoppingError   the service was told to stop
    ├── GameNotFoundError      the catalogue has no such game
    ├── InteractionNotFoundError   nothing like it is kept of the player
    ├── KeyNotFoundError       there is no such key, or it is revoked already
    ├── UnauthorizedError      a request without a key, or with one that is not valid
    ├── ForbiddenError         a request with a key whose scope is too narrow
    ├── PageWritesOffError     the page may not write, or not for this player
    ├── NotSameOriginError     a request to write as the page does, from another site
    ├── NoPageSessionError     a request to write as the page does, without the page's session
    ├── KeysUnavailableError   whether a key is valid cannot be said: the database is away
    ├── TooManyRequestsError   a rate limit is reached
    ├── BodyTooLargeError      a request's body is over the limit
    ├── BodyTooSlowError       a request's body did not arrive in time
    └── AnswerTooSlowError     an answer was not ready in time

The message of each is one sentence that a person can act on, and holds no secret.
"""


def one_line(error: Exception) -> str:
    """Say what went wrong in one line, of an error of ours or of the operating system's."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class GameRecommenderError(Exception):
    """The root: whatever is caught as this has a message fit for a user."""

    retry_after: int | None = None  # in so many seconds the same request may succeed


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
    """A file of interactions cannot be read."""


class ImportTooLargeError(ImportFailedError):
    """A file is larger than the service takes."""


class ExportFailedError(GameRecommenderError):
    """The interactions cannot be written to a file."""


class BackupFailedError(GameRecommenderError):
    """There is nothing to back up, or it cannot be written."""


class RestoreRefusedError(GameRecommenderError):
    """A backup is not whole, or its place is not empty; nothing was changed."""


class SteamError(GameRecommenderError):
    """Steam does not give a player's library."""


class BenchmarkError(GameRecommenderError):
    """There is nothing that methods could be compared by."""


class TrainingError(GameRecommenderError):
    """There is nothing a model could be made of."""


class TrackingError(GameRecommenderError):
    """Weights & Biases does not take the record of a training."""


class RunInProgressError(GameRecommenderError):
    """Another run is going on, or waits."""

    def __init__(self, run_id: str | None) -> None:
        """Name the other run, if it has not ended by now."""
        super().__init__(f"Another run is going on{f', {run_id}' if run_id else ''}; wait for it to end, or cancel it.")
        self.run_id = run_id


class RunNotFoundError(GameRecommenderError):
    """There is no such run."""

    def __init__(self, run_id: str) -> None:
        """Name the run that was asked for."""
        super().__init__(f"There is no run {run_id!r}.")


class RunEndedError(GameRecommenderError):
    """The run has ended, and cannot be changed any more."""

    def __init__(self, run_id: str) -> None:
        """Name the run."""
        super().__init__(f"The run {run_id} has ended.")


class RunStoppedError(GameRecommenderError):
    """The run was told to stop, or was taken for dead."""


class SlackError(GameRecommenderError):
    """Slack does not take a message; `retry_after` is set where it asks to wait."""

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        """Say why, without the webhook's address, which is a secret."""
        super().__init__(f"Slack did not take the message: {reason}.")
        self.retry_after = retry_after


class MessageRefusedError(SlackError):
    """Slack cannot read a message, and would not the next time either."""


class ArtifactError(GameRecommenderError):
    """A published version is broken, altered or of another format."""


class PublishError(GameRecommenderError):
    """A version could not be written."""


class StoreNotWritableError(GameRecommenderError):
    """The model store takes no change: it is read-only, or its disk is full."""


class VersionNotFoundError(GameRecommenderError):
    """There is no such published version."""


class ModelNotLoadedError(GameRecommenderError):
    """The service has no model yet."""


class ServiceStoppingError(GameRecommenderError):
    """The service was told to stop, and soon does."""


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


class KeyNotFoundError(GameRecommenderError):
    """There is no such key, or it is revoked already."""

    def __init__(self, key_id: str) -> None:
        """Name the key by its id."""
        super().__init__(f"There is no valid key {key_id}; `python -m training keys list` shows them all.")


class UnauthorizedError(GameRecommenderError):
    """A request without a key, or with one that is not valid."""


class ForbiddenError(GameRecommenderError):
    """A request with a key whose scope is too narrow."""


class PageWritesOffError(GameRecommenderError):
    """The page may not write, or not for this player."""


class NotSameOriginError(GameRecommenderError):
    """A request to write as the page does, from another site."""


class NoPageSessionError(GameRecommenderError):
    """A request to write as the page does, without the page's session."""


class KeysUnavailableError(GameRecommenderError):
    """Whether a key is valid cannot be said: the database is away."""

    retry_after = 2


class TooManyRequestsError(GameRecommenderError):
    """A rate limit is reached."""

    def __init__(self, limit: object, retry_after: int) -> None:
        """Say how many are allowed, and in how many seconds there are some again."""
        super().__init__(f"No more than {limit} are answered; try again in {retry_after} s.")
        self.retry_after = retry_after


class BodyTooLargeError(GameRecommenderError):
    """A request's body is over the limit."""


class BodyTooSlowError(GameRecommenderError):
    """A request's body did not arrive in time."""


class AnswerTooSlowError(GameRecommenderError):
    """An answer was not ready in time."""

    retry_after = 5

"""The settings, read once from the environment and `.env`."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from limits import parse_many
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.cron import check as check_cron
from app.core.errors import SettingsError

_ADMIN_KEY_LENGTH = 16
_http_url = TypeAdapter(AnyHttpUrl)
_DATABASE = re.compile(r"sqlite:///.|postgres(ql)?(\+\w+)?://.")


def _base_url(value: str) -> str:
    url = _http_url.validate_python(value)
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("must be an address alone: a key goes into a setting of its own")
    return value.rstrip("/")


def _stripped(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


def _folder(value: Path) -> Path:
    if re.match(r"[a-z0-9]+:/", str(value)):
        raise ValueError("must be a folder: object stores cannot be used yet")
    return value


def _database(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not _DATABASE.match(value.get_secret_value()):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def _admin_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        key = value.get_secret_value()
        if len(key) < _ADMIN_KEY_LENGTH or not re.fullmatch(r"[!-~]+", key):
            raise ValueError(f"must be at least {_ADMIN_KEY_LENGTH} letters, digits and signs, without spaces")
    return value


def _public_url(value: str | None) -> str | None:
    return None if value is None else _base_url(value)


def _webhook(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        try:
            _http_url.validate_python(value.get_secret_value())
        except ValidationError:  # whose words hold the address, which is the secret
            raise ValueError("must be an address that begins with https://") from None
    return value


def _cron(value: str) -> str:
    check_cron(value)
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone as in Asia/Seoul or UTC") from None
    return value


def _rate_limit(value: str | None) -> str | None:
    if value is None or value.strip().lower() == "none":
        return None
    try:
        limits = parse_many(value)
    except ValueError:
        limits = []
    if not limits or any(limit.amount == 0 for limit in limits):
        raise ValueError("must be as in 100/minute or 10/second;1000/hour, or none")
    return value


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals; `.env.example` explains them."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    forwarded_allow_ips: str = "127.0.0.1"
    stop_delay: float = Field(default=1.0, ge=0, le=300)

    admin_api_key: Annotated[SecretStr | None, BeforeValidator(_stripped), AfterValidator(_admin_key)] = None
    require_read_key: bool = False
    rate_limit_read: Annotated[str | None, AfterValidator(_rate_limit)] = None
    rate_limit_write: Annotated[str | None, AfterValidator(_rate_limit)] = "60000/minute"
    rate_limit_page: Annotated[str | None, AfterValidator(_rate_limit)] = "120/minute"
    public_page_writes: Literal["simulated", "always", "never"] = "simulated"
    max_body_kb: int = Field(default=1024, ge=1)
    request_timeout: float = Field(default=30.0, gt=0)

    data_dir: Path = Path("data")
    database_url: Annotated[SecretStr | None, BeforeValidator(_stripped), AfterValidator(_database)] = None
    model_store: Annotated[Path, AfterValidator(_folder)] = Path("models")
    models_kept: int = Field(default=5, ge=2)

    rawg_api_key: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None
    rawg_base_url: Annotated[str, AfterValidator(_base_url)] = "https://api.rawg.io/api"
    rawg_max_games: int = Field(default=10_000, ge=1)
    rawg_genres: str | None = None
    rawg_tags: str | None = None
    rawg_platforms: str | None = None
    rawg_dates: str | None = None
    rawg_monthly_quota: int = Field(default=20_000, ge=1)
    rawg_concurrency: int = Field(default=4, ge=1, le=16)
    rawg_timeout: float = Field(default=30.0, gt=0)

    rawg_full_days: float = Field(default=7.0, ge=0)
    rawg_quota_warning: float = Field(default=0.9, gt=0, le=1)

    steam_api_key: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None
    steam_base_url: Annotated[str, AfterValidator(_base_url)] = "https://api.steampowered.com"

    import_max_mb: int = Field(default=2000, ge=1)

    validation_min_games: int = Field(default=10, ge=1)
    validation_max_bad_share: float = Field(default=0.2, ge=0, le=1)

    answers_remembered: int = Field(default=8000, ge=0, le=10_000_000)
    answer_log_sample: float = Field(default=1.0, ge=0, le=1)
    answer_log_days: int = Field(default=30, ge=1, le=3650)

    gate_tolerance: float = Field(default=0.02, ge=0, le=1)

    drift_warning: float = Field(default=0.2, gt=0)

    retrain_enabled: bool = True
    retrain_cron: Annotated[str, AfterValidator(_cron)] = "0 4 * * *"
    retrain_timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    retrain_jitter: int = Field(default=0, ge=0, le=86_400)
    retrain_grace_hours: float = Field(default=12.0, ge=0)
    retrain_time_limit: float = Field(default=120.0, gt=0)
    runs_kept: int = Field(default=200, ge=1)

    probation_minutes: float = Field(default=30.0, ge=0)
    probation_min_answers: int = Field(default=200, ge=1)
    probation_fallback_rise: float = Field(default=0.2, gt=0)
    probation_empty_rise: float = Field(default=0.05, gt=0)
    probation_error_rise: float = Field(default=0.02, gt=0)
    probation_latency_ratio: float = Field(default=3.0, gt=1)
    probation_played_drop: float = Field(default=0.5, gt=0)

    slack_webhook_url: Annotated[SecretStr | None, BeforeValidator(_stripped), AfterValidator(_webhook)] = None
    notify_language: Literal["en", "ko"] = "en"
    public_url: Annotated[str | None, BeforeValidator(_stripped), AfterValidator(_public_url)] = None

    wandb_api_key: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None
    wandb_mode: Annotated[Literal["online", "offline", "disabled"] | None, BeforeValidator(_stripped)] = None
    wandb_project: str = "game-recommender"
    wandb_entity: Annotated[str | None, BeforeValidator(_stripped)] = None
    wandb_base_url: Annotated[str | None, BeforeValidator(_stripped), AfterValidator(_public_url)] = None
    wandb_timeout: float = Field(default=60.0, gt=0)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @property
    def database(self) -> str:
        """The URL of the database, its password included: an SQLite file in the data folder unless one is set."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'interactions.db'}"
        return self.database_url.get_secret_value().replace("postgres://", "postgresql://", 1)

    @classmethod
    def load(cls) -> Self:
        """Read the settings, or raise `SettingsError` naming each variable that is wrong and why."""
        try:
            return cls()
        except ValidationError as invalid:
            # The input is left out of the sentence: it may be a key.
            problems = "; ".join(
                f"{'.'.join(map(str, error['loc'])).upper()}: {error['msg']}" for error in invalid.errors()
            )
            raise SettingsError(f"Wrong setting: {problems}") from None
        except (OSError, UnicodeDecodeError) as unreadable:
            raise SettingsError(f"The file .env cannot be read: {unreadable}") from None

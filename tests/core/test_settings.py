import json
import logging
import re
from itertools import pairwise
from pathlib import Path

import pytest
import structlog
from pydantic import ValidationError

from app.core import log
from app.core.errors import SettingsError
from app.core.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_explains_every_setting_with_its_default():
    lines = EXAMPLE.read_text().splitlines()
    explained = {}
    for comment, line in pairwise(lines):
        if match := re.fullmatch(r"#? ?([A-Z_]+)=(.*)", line):
            assert comment.startswith("# "), f"{match[1]} has no line of explanation"
            explained[match[1].lower()] = match[2]
    defaults = Settings().model_dump(mode="json")
    assert explained == {name: "" if value is None else str(value) for name, value in defaults.items()}


def test_the_example_itself_is_a_valid_env_file():
    defaults = Settings()
    Path(".env").write_text(EXAMPLE.read_text())

    assert Settings.load() == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("workers", 0),
        ("models_kept", 1),
        ("rawg_max_games", 0),
        ("rawg_monthly_quota", 0),
        ("rawg_concurrency", 0),
        ("rawg_concurrency", 17),
        ("rawg_timeout", 0),
        ("import_max_mb", 0),
        ("validation_min_games", 0),
        ("validation_max_bad_share", -0.1),
        ("max_body_kb", 0),
        ("request_timeout", 0),
    ],
)
def test_every_number_has_its_bounds(name: str, value: float):
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("RAWG_MAX_GAMES=5\nPORT=9000\nUNKNOWN=1\n")
    monkeypatch.setenv("PORT", "9001")

    settings = Settings.load()

    assert (settings.rawg_max_games, settings.port) == (5, 9001)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535"),
        ("RAWG_BASE_URL", "ftp://example.org", "RAWG_BASE_URL: URL scheme should be 'http' or 'https'"),
        ("RAWG_BASE_URL", "nonsense", "RAWG_BASE_URL: "),
        ("RAWG_BASE_URL", "http://me:secret@example.org/api", "RAWG_BASE_URL: Value error, must be an address alone"),
        ("RAWG_BASE_URL", "http://example.org/api?key=secret", "RAWG_BASE_URL: Value error, must be an address alone"),
        ("MODEL_STORE", "s3://bucket/models", "MODEL_STORE: Value error, must be a folder"),
        (
            "DATABASE_URL",
            "mysql://me:secret@host/x",
            "DATABASE_URL: Value error, must begin with sqlite:/// or postgresql://",
        ),
        ("ADMIN_API_KEY", "secret", "ADMIN_API_KEY: Value error, must be at least 16 letters"),
        ("ADMIN_API_KEY", "a secret with spaces", "ADMIN_API_KEY: Value error, must be at least 16 letters"),
        ("ADMIN_API_KEY", "secret" * 3 + "é", "ADMIN_API_KEY: Value error, must be at least 16 letters"),
        ("RATE_LIMIT_READ", "fast", "RATE_LIMIT_READ: Value error, must be as in 100/minute or 10/second;1000/hour"),
        ("RATE_LIMIT_WRITE", "0/minute", "RATE_LIMIT_WRITE: Value error, must be as in 100/minute"),
        ("REQUIRE_READ_KEY", "maybe", "REQUIRE_READ_KEY: Input should be a valid boolean"),
        ("RETRAIN_CRON", "every night", "RETRAIN_CRON: Value error, must have five fields"),
        ("RETRAIN_TIMEZONE", "Mars/Olympus", "RETRAIN_TIMEZONE: Value error, must be a time zone"),
        ("SLACK_WEBHOOK_URL", "secret", "SLACK_WEBHOOK_URL: Value error, must be an address"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: Input should be 'DEBUG', 'INFO'"),
        ("VALIDATION_MAX_BAD_SHARE", "2", "VALIDATION_MAX_BAD_SHARE: "),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=re.escape(message)) as wrong:
        Settings.load()
    assert "\n" not in str(wrong.value)
    assert "secret" not in str(wrong.value)


def test_a_file_that_cannot_be_read_is_named():
    Path(".env").write_bytes(b"PORT=\xff")

    with pytest.raises(SettingsError, match=r"The file \.env cannot be read"):
        Settings.load()


def test_several_wrong_values_are_named_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("WORKERS", "0")

    with pytest.raises(SettingsError, match=r"PORT: .*; WORKERS: "):
        Settings.load()


def test_a_slash_at_the_end_of_the_address_does_not_matter():
    assert Settings(rawg_base_url="http://localhost:1/api/").rawg_base_url == "http://localhost:1/api"


@pytest.mark.parametrize(("text", "key"), [("   ", None), (" abc\n", "abc")])
def test_spaces_around_the_key_do_not_count(text: str, key: str | None):
    settings = Settings(rawg_api_key=text)

    assert (settings.rawg_api_key and settings.rawg_api_key.get_secret_value()) == key


@pytest.mark.parametrize(
    ("text", "limit"), [("none", None), (" None ", None), ("10/second;1000/hour", "10/second;1000/hour")]
)
def test_a_rate_limit_can_be_left_out(text: str, limit: str | None):
    assert Settings(rate_limit_write=text).rate_limit_write == limit


def test_the_admin_key_is_not_shown():
    settings = Settings(admin_api_key=" a-very-secret-key\n")

    assert settings.admin_api_key
    assert settings.admin_api_key.get_secret_value() == "a-very-secret-key"
    assert "secret" not in repr(settings)


def test_the_key_is_not_shown():
    assert "secret" not in repr(Settings(rawg_api_key="very-secret"))


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_log_lines_carry_time_level_and_name(log_format: str, capsys: pytest.CaptureFixture[str]):
    log.configure(Settings(log_format=log_format))

    logging.getLogger("some.library").warning("it %s", "happened", extra={"color_message": "red", "game": 7})
    logging.getLogger("some.library").debug("not shown")

    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert all(part in line for part in ("20", "warning", "some.library", "it happened", "game"))
    assert "red" not in line
    if log_format == "json":
        assert json.loads(line)["timestamp"].startswith("20")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_logged_exception_shows_where_and_not_what_was_in_the_variables(
    log_format: str, capsys: pytest.CaptureFixture[str]
):
    log.configure(Settings(log_format=log_format))
    key = "0123" * 8

    try:
        len(key) / 0
    except ZeroDivisionError:
        structlog.get_logger("app").exception("it broke", path=Path("somewhere"))

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ZeroDivisionError" in err
    assert "somewhere" in err
    assert key not in err


def test_the_level_is_the_one_set(capsys: pytest.CaptureFixture[str]):
    log.configure(Settings(log_level="ERROR"))

    logging.getLogger("app").warning("quiet")

    assert capsys.readouterr().err == ""

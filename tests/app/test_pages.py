"""The pages as they are sent: languages, headers, words, files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.core.database import Database
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from app.pages import Pages, Visit
from tests.worlds import publish

WEB = Path(__file__).parents[2] / "app" / "web"
WORDS = {code: json.loads((WEB / "words" / f"{code}.json").read_text("utf-8")) for code in ("en", "ko")}
SOURCES = {
    path: path.read_text("utf-8")
    for path in sorted([*WEB.rglob("*.html"), *WEB.rglob("*.js")])
    if "vendor" not in path.parts
}
# `t("key")`, `parts("key"`, …, and keys that are made from a part that is known only then.
WHOLE = re.compile(r"""["'`]((?:site|problem|shell|player|ops)\.[a-z0-9_.-]+)["'`]""")
PIECED = re.compile(r"""`((?:site|problem|shell|player|ops)\.[a-z0-9_.-]*)\$\{""")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("pages")
    publish(ModelStore(folder / "models"))
    settings = Settings(model_store=folder / "models", data_dir=folder / "data", retrain_enabled=False)
    Database(settings.database).migrate()
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def client(running: TestClient) -> TestClient:
    """A browser that was never here before."""
    running.cookies.clear()
    return running


@pytest.mark.parametrize(
    ("visit", "language"),
    [
        (Visit(), "en"),
        (Visit(accepted="ko-KR,ko;q=0.9,en-US;q=0.8"), "ko"),
        (Visit(accepted="en;q=0.2, KO;q=0.7"), "ko"),
        (Visit(accepted="fr, ko;q=0, *;q=0.1"), "en"),
        (Visit(accepted="ko;q=much, de"), "en"),
        (Visit(remembered="ko", accepted="en"), "ko"),
        (Visit(asked="en", remembered="ko", accepted="ko"), "en"),
        (Visit(asked="tlh", accepted="ko"), "ko"),
    ],
)
def test_the_language_is_asked_for_or_remembered_or_the_browsers(visit: Visit, language: str):
    assert visit.language == language


def test_a_page_is_in_the_language_that_the_browser_asks_for(client: TestClient):
    korean = client.get("/", headers={"Accept-Language": "ko-KR"})
    english = client.get("/", headers={"Accept-Language": "de"})

    assert '<html lang="ko">' in korean.text
    assert '<html lang="en">' in english.text
    assert korean.headers["vary"] == "Accept-Encoding, Accept-Language, Cookie"


def test_the_switch_keeps_the_address_and_is_remembered(client: TestClient):
    page = client.get("/?player=a%26b&genre=RPG&lang=en").text
    assert 'href="?player=a%26b&amp;genre=RPG&amp;lang=ko"' in page

    switched = client.get("/?player=12&lang=ko")
    assert '<html lang="ko">' in switched.text
    assert "HttpOnly" in switched.headers["set-cookie"]
    assert '<html lang="ko">' in client.get("/ops").text
    assert "lang=" not in client.get("/?lang=tlh").headers.get("set-cookie", "")


@pytest.mark.parametrize("path", ["/", "/ops"])
def test_a_page_lets_nothing_run_but_its_own_files(client: TestClient, path: str):
    answer = client.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:;")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "https://rawg.io/" in answer.text
    assert not re.search(r"<script(?![^>]*(src=|application/json))|<style|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize("path", ["/", "/ops"])
def test_every_file_of_a_page_is_there_and_may_be_kept(client: TestClient, path: str):
    files = re.findall(r'(?:src|href)="(static/[^"]+)"', client.get(path).text)

    assert files
    for file in files:
        answer = client.get(f"/{file}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_modules_are_sent_as_scripts_and_the_player_page_names_all_of_its_own(client: TestClient):
    page = client.get("/").text
    modules = {path.relative_to(WEB / "static").as_posix() for path in SOURCES if path.suffix == ".js"}
    own = {name for name in modules if name.startswith("player/") or "/" not in name}
    own -= {"player/combobox.js", "player/gameview.js", "player/keydialog.js"}  # which are loaded when they are needed

    for name in own:
        assert f'/{name}"' in page  # so that they are not found one by one
    answer = client.get(f"/static/{Pages().digest}/api.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/ops", f"/static/{Pages().digest}/base.css"])
def test_who_takes_it_packed_gets_it_packed(client: TestClient, path: str):
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.content == plain.content
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.headers["vary"] == plain.headers["vary"]


def test_a_page_of_an_earlier_version_gets_the_files_of_this_one(client: TestClient):
    answer = client.get("/static/0123456789abcdef/base.css")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["nothing.js", "../pages.py", "%2e%2e/pages.py", "../words/en.json", ""])
def test_nothing_else_is_sent(client: TestClient, path: str):
    assert client.get(f"/static/{Pages().digest}/{path}").status_code == 404


def test_the_page_says_whose_plays_the_model_has_learnt_from_and_may_write_while_they_are_invented(client: TestClient):
    answer = client.get("/")

    assert 'data-kind="simulated" data-writes="true"' in answer.text
    assert "Path=/page" in answer.headers["set-cookie"]


def test_before_the_first_model_the_page_says_nothing_of_players_and_writes_nothing(modelless_client: TestClient):
    answer = modelless_client.get("/")

    assert 'data-kind="" data-writes="false"' in answer.text
    assert "set-cookie" not in answer.headers


def test_all_languages_have_the_same_words_and_places():
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    for key, text in WORDS["en"].items():
        assert WORDS["ko"][key]
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", WORDS["ko"][key])), key


def test_scripts_get_the_words_that_they_use_alone():
    shell = {key for path, source in SOURCES.items() if path.suffix == ".js" for key in WHOLE.findall(source)}

    assert not {key for key in shell if key.startswith("shell.")}


def test_every_word_is_used_and_none_is_missing():
    whole = {key for source in SOURCES.values() for key in WHOLE.findall(source)}
    pieced = tuple(start for source in SOURCES.values() for start in PIECED.findall(source))

    assert whole - WORDS["en"].keys() == set()
    assert {key for key in WORDS["en"] if key not in whole and not key.startswith(pieced)} == set()

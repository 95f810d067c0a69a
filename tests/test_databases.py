"""The databases of the tests: empty, apart, and gone when the tests are."""

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests import postgres

ROOT = Path(__file__).parents[1]
# A worker of pytest-xdist, as far as the server is concerned.
USER = """
import sys
from pathlib import Path
from tests import postgres
with postgres.share(Path(sys.argv[1]), Path(sys.argv[2])) as server:
    print(server.folder, server.port, flush=True)
    sys.stdin.read()
"""


def user(programs: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, programs, folder],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 90
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_database(turn: str, postgres_url: str):
    with closing(psycopg.connect(postgres_url)) as connection:
        connection.execute("CREATE TABLE plays (turn text)")
        connection.execute("INSERT INTO plays VALUES (%s)", [turn])
        connection.commit()

        assert connection.execute("SELECT turn FROM plays").fetchall() == [(turn,)]


def test_a_database_is_dropped_though_somebody_is_connected(shared_postgres: postgres.Postgres):
    url = shared_postgres.create_database()
    with closing(psycopg.connect(url)) as connection:
        shared_postgres.drop_database(url)

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_the_product_has_the_rights_of_an_owner_and_no_more(postgres_url: str):
    with closing(psycopg.connect(postgres_url, autocommit=True)) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE DATABASE another")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'cat'")


def test_a_server_that_stops_and_starts_again_has_its_address_and_data(own_postgres: postgres.Postgres):
    url = own_postgres.create_database()
    with closing(psycopg.connect(url)) as connection:
        connection.execute("CREATE TABLE plays AS SELECT 42 AS game")
        connection.commit()
        own_postgres.stop()

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)

    own_postgres.start()
    with closing(psycopg.connect(url)) as connection:
        assert connection.execute("SELECT game FROM plays").fetchall() == [(42,)]


def test_workers_share_one_server_which_the_last_takes_with_it_though_it_is_killed(
    postgres_programs: Path, tmp_path: Path
):
    with user(postgres_programs, tmp_path) as first, user(postgres_programs, tmp_path) as second:
        lines = {first_line(first), first_line(second)}
        (line,) = lines
        folder, port = line.split()
        first.communicate()
        assert first.returncode == 0
        with closing(psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")) as connection:
            second.send_signal(signal.SIGKILL)
            second.wait()
            wait_until_gone(Path(folder))

            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    with postgres.share(postgres_programs, tmp_path) as server:
        assert server.folder != Path(folder)
        assert server.create_database()


def test_database_url_names_a_database_that_holds_nothing(database_url: str, tmp_path: Path):
    if database_url.startswith("sqlite"):
        assert database_url == f"sqlite:///{tmp_path}/data/interactions.db"
        assert not list(tmp_path.iterdir())
    else:
        with closing(psycopg.connect(database_url)) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            assert found == (0,)


def test_the_newest_version_of_the_packages_is_taken(tmp_path: Path):
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()

    assert postgres.binaries(tmp_path) == tmp_path / "17" / "bin"


def test_without_packages_the_path_is_searched_and_may_hold_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres.binaries(tmp_path) is None

    (tmp_path / "initdb").touch(mode=0o755)
    assert postgres.binaries(tmp_path) == tmp_path

"""A real PostgreSQL for the tests: a server of their own on a free port, which never outlives them."""

import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from filelock import FileLock
from psycopg import sql

MISSING = (
    "There is no PostgreSQL on this machine: install one (on Debian and Ubuntu: apt-get install postgresql), "
    "or put the folder of its initdb and pg_ctl on the PATH."
)
PACKAGES = Path("/usr/lib/postgresql")  # one folder per major version, on Debian and Ubuntu
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = {port}
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'Asia/Kathmandu'  # a server's clock is not the client's: nothing may depend on it
"""
# Waits until nobody holds the pipe any more, killed or not, and leaves nothing behind.
GUARD = """
exec 3<&0
(read -r _ <&3; "$2/pg_ctl" stop --pgdata="$1/data" --mode=immediate; rm -rf "$1") >/dev/null 2>&1 &
"""


def binaries(packages: Path = PACKAGES) -> Path | None:
    """The folder of the newest server's programs, or None."""
    versions = sorted(packages.glob("[0-9]*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True)
    found = versions[0] if versions else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass(frozen=True)
class Postgres:
    """A running server. Others may use it too: `stop` is for the one from `serve`."""

    folder: Path
    programs: Path
    port: int
    pipe: int  # the server ends when the last process that has it open closes it, or is killed

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Return when it takes connections, at the same port and with the same data as before."""
        _run(self.programs / "pg_ctl", "start", "--wait", f"--pgdata={self.folder}/data", f"--log={self.folder}/log")

    def stop(self) -> None:
        """Break all connections and return when no more are taken."""
        _run(self.programs / "pg_ctl", "stop", "--wait", f"--pgdata={self.folder}/data", "--mode=fast")

    def create_database(self, template: str = "template1") -> str:
        """The URL of a database like another, else an empty one; its owner has no rights beyond it."""
        name = f"test_{secrets.token_hex(8)}"
        self._execute("CREATE DATABASE {} TEMPLATE {} OWNER tester", name, template)
        return self.url(name, user="tester")

    def drop_database(self, url: str) -> None:
        """Drop it, whoever is still connected."""
        self._execute("DROP DATABASE {} WITH (FORCE)", url.rpartition("/")[2])

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def serve(programs: Path) -> Iterator[Postgres]:
    """A server for one test alone, which may stop it."""
    server = _create(programs)
    try:
        yield server
    finally:
        os.close(server.pipe)


@contextmanager
def share(programs: Path, folder: Path) -> Iterator[Postgres]:
    """The server of all processes that name the same folder: started by the first, ended after the last."""
    with FileLock(folder / "postgres.lock"):
        server = _join(programs, folder / "postgres") or _create(programs)
        (folder / "postgres").write_text(f"{server.folder}\n{server.port}")
    try:
        yield server
    finally:
        os.close(server.pipe)


def _join(programs: Path, address: Path) -> Postgres | None:
    try:
        folder, port = address.read_text().splitlines()
        pipe = os.open(f"{folder}/users", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # it has not been started, or has ended
        return None
    return Postgres(Path(folder), programs, int(port), pipe)


def _create(programs: Path) -> Postgres:
    folder = Path(tempfile.mkdtemp(prefix="tests-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, *_nobody())
    server = Postgres(folder, programs, _free_port(), _guard(folder, programs))
    try:
        _initialise(server)
    except BaseException:
        os.close(server.pipe)
        raise
    return server


def _guard(folder: Path, programs: Path) -> int:
    os.mkfifo(folder / "users")
    # Opened without waiting for the other end, so that there is no moment at which a kill leaves a guard that waits.
    reading = os.open(folder / "users", os.O_RDONLY | os.O_NONBLOCK)
    pipe = os.open(folder / "users", os.O_WRONLY)
    os.set_blocking(reading, True)
    _run("/bin/sh", "-c", GUARD, "guard", folder, programs, stdin=reading)
    os.close(reading)
    return pipe


def _initialise(server: Postgres) -> None:
    data = server.folder / "data"
    # Letters sort as people sort them, as on most servers, not as SQLite sorts them.
    sorting = ["--locale-provider=icu", "--icu-locale=en-US"] if _major(server.programs) >= 15 else []
    how = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", *sorting]
    _run(server.programs / "initdb", f"--pgdata={data}", *how)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS.format(port=server.port))
    server.start()
    server._execute("CREATE ROLE tester LOGIN")


def _major(programs: Path) -> int:
    return int(re.findall(r"\d+", _run(programs / "initdb", "--version"))[0])


def _free_port() -> int:
    # Below the ports that outgoing connections get: a stopped server finds its own free when it starts again.
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _run(*command: str | Path, stdin: int = subprocess.DEVNULL) -> str:
    """Run a program apart from the terminal and from whoever tests; root becomes nobody, as PostgreSQL demands."""
    user, group = _nobody() if os.geteuid() == 0 else (None, None)
    done = subprocess.run(
        command,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the tests, which still need it when they tidy up
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {done.stdout}")
    return done.stdout

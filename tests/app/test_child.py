"""A child process: its priority, its output, and its end."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.child import TAIL_LINES, Child
from tests.worlds import check, within

Start = Callable[[str], Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    children: list[Child] = []

    def started(code: str) -> Child:
        children.append(Child((sys.executable, "-S", "-c", code), tmp_path / "runs" / f"{len(children)}.log"))
        return children[-1]

    yield started
    for child in children:
        child.stop(0)


def ended(child: Child) -> int:
    def code() -> int:
        found = child.exit_code()
        assert found is not None
        return found

    return within(10, code)


def test_it_takes_what_others_leave_and_is_apart_from_them(start: Start):
    child = start("import time; print('up'); time.sleep(60)")
    within(10, lambda: child.tail().index("up"))

    assert os.getpriority(os.PRIO_PROCESS, child.pid) == 19
    assert os.getpgid(child.pid) == child.pid
    assert os.getsid(child.pid) == os.getsid(0)
    assert child.exit_code() is None


def test_its_input_ends_when_nobody_holds_the_other_end(start: Start):
    """As it is when this process is killed; other children must not hold it either."""
    child = start("import sys; print('up', flush=True); sys.stdin.read(); print('alone')")
    other = start("import time; time.sleep(60)")
    within(10, lambda: child.tail().index("up"))

    assert child._process.stdin is not None
    child._process.stdin.close()

    assert ended(child) == 0
    assert other.exit_code() is None
    assert child.tail() == "up\nalone"


def test_what_it_started_ends_with_it(start: Start):
    child = start("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)")

    assert ended(child) == 0
    helper = Path(f"/proc/{child.tail()}/stat")
    within(5, lambda: check(not helper.exists() or helper.read_text().split()[2] == "Z"))


def test_it_is_asked_to_end_and_then_made_to(start: Start):
    willing = start("import time; time.sleep(60)")
    assert willing.stop(10) == -signal.SIGTERM
    stubborn = start("import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)")
    within(10, lambda: stubborn.tail().index("up"))
    begun = time.monotonic()
    assert stubborn.stop(0.2) == -signal.SIGKILL
    assert time.monotonic() - begun < 2
    stubborn.kill()  # there is nobody any more, which does no harm


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('one'); raise SystemExit('error: The disk is full.')", "The disk is full."),
        ("print('last words'); print(' ')", "last words"),
        ("raise SystemExit(3)", "It ended with exit code 3, and wrote nothing."),
        ("import os; os.kill(os.getpid(), 9)", "It was killed by signal 9 (SIGKILL)."),
    ],
)
def test_why_it_ended(start: Start, code: str, why: str):
    child = start(code)

    assert child.why(ended(child)) == why


def test_the_tail_is_the_last_whole_lines_as_text(start: Start, tmp_path: Path):
    long = start("for number in range(1000): print('line', number)")
    wide = start("print('x' * 9000); print('end')")
    odd = start(r"import sys; sys.stdout.buffer.write(b'\xff \0 \xe6\xbc\xa2')")
    for child in (long, wide, odd):
        ended(child)

    assert long.tail().splitlines() == [f"line {number}" for number in range(1000 - TAIL_LINES, 1000)]
    assert wide.tail() == "end"
    assert odd.tail() == "\ufffd \ufffd 漢"
    (tmp_path / "runs" / "0.log").unlink()
    assert long.tail() == ""


def test_output_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "runs").write_text("in the way")

    with pytest.raises(OSError, match="runs"):
        Child((sys.executable, "-c", ""), tmp_path / "runs" / "1.log")

"""A child process that takes what others leave, writes to a file, and learns from a pipe that its parent is gone."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

TAIL_LINES = 50
_TAIL_BYTES = 8192
_LEAST_NICE = 19


class Child:
    """A process with a process group of its own.

    Its standard input never brings anything, and ends with this process, however that ends.
    """

    def __init__(self, command: Sequence[str], output: Path) -> None:
        """Start it; raises `OSError` where that cannot be, or its output cannot be written."""
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                # Not a session: many kernels let sessions compete as equals, however nice their processes are.
                process_group=0,
            )
        self._output = output
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _LEAST_NICE)

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Tell how it ended, as `subprocess` has it; None while it goes on. What it left running is killed."""
        code = self._process.poll()
        if code is not None:
            self._tidy()
        return code

    def terminate(self) -> None:
        """Ask it, and what it has started, to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and what it has started."""
        self._signal(signal.SIGKILL)

    def stop(self, seconds: float) -> int:
        """Ask it to end, and after so many seconds make it; returns how it ended."""
        self.terminate()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        self._tidy()
        return code

    def tail(self) -> str:
        """Read the last lines of what it wrote."""
        try:
            with self._output.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                written = file.read(_TAIL_BYTES).decode(errors="replace")
        except OSError:  # the disk is gone, or somebody has tidied up
            return ""
        lines = written.replace("\x00", "\N{REPLACEMENT CHARACTER}").splitlines()
        return "\n".join(lines[1 if size > _TAIL_BYTES else 0 :][-TAIL_LINES:])

    def why(self, code: int) -> str:
        """Say why it ended: the last line that it wrote, or the signal that killed it."""
        if code < 0:
            return f"It was killed by signal {-code} ({signal.Signals(-code).name})."
        written = [line for line in self.tail().splitlines() if line.strip()]
        last = written[-1].strip().removeprefix("error: ") if written else ""
        return last or f"It ended with exit code {code}, and wrote nothing."

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _tidy(self) -> None:
        self.kill()  # what it started and left running
        cast("IO[bytes]", self._process.stdin).close()

"""How much memory a piece of work takes; Linux tells it, other systems do not."""

from pathlib import Path

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"  # see proc_pid_clear_refs(5)


class Rise:
    """How far this process's memory rises above what it held when this was made."""

    def __init__(self) -> None:
        self._before: int | None = None
        try:
            (_PROCESS / "clear_refs").write_text(_FORGET_PEAK)
            self._before = _kibibytes("VmRSS")
        except OSError:
            return

    def megabytes(self) -> float | None:
        """Tell the highest rise since then, in 10^6 bytes; None where the system does not tell.

        The system counts in batches, so that the peak may seem to lie below what there was before.
        """
        return None if self._before is None else max(0, _kibibytes("VmHWM") - self._before) * 1024 / 1e6


def _kibibytes(entry: str) -> int:
    lines = (_PROCESS / "status").read_text().splitlines()
    [size] = [line.split()[1] for line in lines if line.startswith(f"{entry}:")]
    return int(size)

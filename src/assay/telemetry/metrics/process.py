"""What one process uses, as Linux tells it of itself."""

import os
from dataclasses import dataclass
from pathlib import Path

SELF = Path("/proc/self")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Memory in bytes, computing in seconds since the start, and how many files and threads there are."""

    resident: int
    cpu: float
    files: int
    threads: int


def usage(folder: Path = SELF) -> Usage:
    """Return what a process uses; raises OSError where it cannot be read, as when no file can be opened.

    prometheus_client has a collector for this, which counts only the process that is asked: with many
    workers it would tell of whichever happens to answer.
    """
    stat = parsed((folder / "stat").read_bytes())
    # The listing is itself an open file.
    return Usage(files=len(os.listdir(folder / "fd")) - 1, **stat)  # type: ignore[arg-type] # noqa: PTH208


def parsed(stat: bytes) -> dict[str, float]:
    """Return memory, computing and threads of a line of ``/proc/PID/stat`` (proc(5))."""
    # The name stands in brackets and may hold brackets and spaces itself; the state, field 3, follows it.
    fields = stat[stat.rindex(b")") + 1 :].split()
    user, system, threads, pages = (int(fields[number - 3]) for number in (14, 15, 20, 24))
    return {"resident": pages * _PAGE, "cpu": (user + system) / _TICK, "threads": threads}

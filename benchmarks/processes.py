"""Processes of this machine: what they and all below them hold in memory and take of the processor."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(process: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def memory_of(process: int) -> int:
    """Return the resident bytes of a process and all below it, shared pages counted in parts (PSS)."""
    return sum(pss(number) for number in tree(process))


def pss(process: int) -> int:
    """Return the resident bytes of one process, shared pages counted in parts; 0 when it is gone."""
    try:
        return parsed_pss(Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii"))
    except OSError:
        return 0


def parsed_pss(rollup: str) -> int:
    """Return the bytes that a file ``smaps_rollup`` tells."""
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def processor_of(process: int) -> float:
    """Return the seconds of processor that a process and all below it took."""
    return sum(_processor(number) for number in tree(process))


def _processor(process: int) -> float:
    try:
        line = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    fields = line.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_processor() -> float:
    """Return the seconds that all cores of this machine were busy or taken away (steal) since it started."""
    line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, _, _, interrupts, soft, steal = (int(field) for field in line.split()[1:9])
    return (user + nice + system + interrupts + soft + steal) / TICKS

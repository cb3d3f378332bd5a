"""Processes of this machine: what they and all below them hold in memory and take of the processor."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

LAUNCHER = """
import json, os, sys, time
begun = time.perf_counter()
made = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(made, 0)
took = time.perf_counter() - begun
print("\\n" + json.dumps([os.waitstatus_to_exitcode(status), took, used.ru_maxrss]))
"""
"""Runs a command from a small process: a child's largest memory counts what its parent had at the fork."""

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


def used(command: Sequence[str]) -> tuple[float, int, str]:
    """Return the seconds of a command, its largest memory in bytes and what it printed.

    Raises RuntimeError where it fails.
    """
    launcher = [sys.executable, "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, text=True, check=False)
    output, _, told = done.stdout.rstrip("\n").rpartition("\n")
    code, seconds, peak = json.loads(told)
    if code:
        raise RuntimeError(f"{command!r} ended with {code}: {done.stderr.strip()[-500:]}")
    return seconds, peak * 1024, output

"""Clocks that tests set, and processes of their own that count in a shared file."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SECOND = 1_000_000

COUNTING = """
import sys
from pathlib import Path
from assay.access import SharedCounting, parse_rate, shared
# Four that do nothing else but count, on few processors, wait longer for each other than a service does.
shared.LOCK_SECONDS = 60
# The clock stands still, so that exactly one burst passes.
counting, rate = SharedCounting(Path(sys.argv[1]), clock=lambda: 1_000_000_000), parse_rate(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
passed = sum(counting.take_now("key:1", rate).allowed for _ in range(int(sys.argv[3])))
print(passed, flush=True)
"""


@dataclass
class Ticks:
    """Microseconds that only a test moves."""

    now: int = 1_000 * SECOND

    def __call__(self) -> int:
        """Return the present moment."""
        return self.now


@dataclass
class Wall:
    """A clock on the wall that only a test moves."""

    now: datetime = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self.now

    def move(self, **span: float) -> None:
        """Move the clock, back as well."""
        self.now += timedelta(**span)


def counted_by_processes(path: Path, rate: str, each: int, processes: int) -> Sequence[int]:
    """Return how many requests of one key passed in each of several processes that ask at the same time."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(path), rate, str(each)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(processes)
    ]  # fmt: skip
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        return [int(worker.communicate(timeout=60)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()

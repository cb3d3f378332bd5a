"""Load on a server by wrk, and the latencies of its answers as they were.

wrk 4.1.0 corrects its latencies for coordinated omission (``stats_correct`` in its stats.c): with an answer
that took ``n`` it counts further ones of ``n - e``, ``n - 2 e``, ... down to ``e``, the mean time between two
answers on a connection. It hands only the result on; ``raw`` takes the correction back, exactly.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("walk.lua")
STALL = 20_000
"""Microseconds from which on an answer is called a stall."""
MISSING = "wrk is not installed, which loads the servers: apt-get install wrk"

Histogram = Mapping[int, int]
"""How many answers took so many microseconds."""


@dataclass(frozen=True)
class Load:
    """What became of the requests of one run."""

    requests: int
    seconds: float
    errors: int
    histogram: Histogram

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def stalls(self) -> int:
        """How many answers took longer than a stall begins."""
        return sum(count for value, count in self.histogram.items() if value > STALL)

    def summary(self) -> dict[str, float]:
        """Return rate, latencies in milliseconds, stalls and errors."""
        found = {
            name: round(percentile(self.histogram, share) / 1e3, 3)
            for name, share in {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}.items()
        }
        return {"rate": round(self.rate, 1), **found, "stalls": self.stalls, "errors": self.errors}


def check_installed() -> None:
    """End this program, saying what to do, where there is no wrk."""
    if shutil.which("wrk") is None:
        raise SystemExit(MISSING)


def drive(
    port: int, path: str, bodies: Path, *, connections: int, seconds: float, headers: Mapping[str, str]
) -> Load:
    """Return what became of the requests of ``bodies``, sent by one thread of wrk without a pause."""
    named = [word for pair in headers.items() for word in pair]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", str(bodies), path, *named]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False)
    return parsed(done.stdout or done.stderr, connections)


def parsed(output: str, connections: int) -> Load:
    """Return what wrk printed as a result; raises ValueError where it printed none."""
    _, found, rest = output.partition("RESULT\t")
    if not found:
        raise ValueError(f"wrk gave no result: {output.strip()[-500:]!r}")
    result = json.loads(rest.partition("\n")[0])
    requests, microseconds = result["requests"], result["microseconds"]
    each = requests // connections
    histogram = raw(result["histogram"], microseconds // each if each else 0)
    if sum(histogram.values()) != requests:
        raise ValueError(f"{requests} answers came, and {sum(histogram.values())} latencies are left of them")
    return Load(requests, microseconds / 1e6, result["errors"], histogram)


def raw(corrected: Sequence[tuple[int, int]], expected: int) -> dict[int, int]:
    """Return a histogram as it was before wrk corrected it; ``expected`` is 0 where it did not."""
    counts = dict(corrected)
    for value in sorted(counts, reverse=True):
        if not expected or value < 2 * expected:
            break
        # Nothing longer is left that was counted here as well, so that this is how many there were.
        for shorter in range(value - expected, expected, -expected):
            if counts[value]:
                counts[shorter] -= counts[value]
    return {value: count for value, count in counts.items() if count}


def percentile(histogram: Histogram, share: float) -> int:
    """Return what a share of the answers did not take longer than, in microseconds; 0 without answers."""
    wanted, seen = share * sum(histogram.values()), 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= wanted:
            return value
    return 0

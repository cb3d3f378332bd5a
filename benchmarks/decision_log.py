"""What the decision log costs, and that it survives full speed: ``python -m benchmarks.decision_log``.

The cost of ``write`` is what a request pays; the cost of a decision, by what is kept of its text, what the
thread beside it spends. ``--minutes 5`` then decides SMS as fast as one process can, 50 a request, with files
that are closed and compressed meanwhile.
"""

import argparse
import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from assay.estimators import Cascade, Decision, load_artifact
from assay.progress import Progress
from assay.service import Decided, DecisionSink, Exchange
from assay.telemetry import Counters, DecisionLog, LogPolicy
from assay.telemetry.decisions.hashing import Hashes
from assay.telemetry.decisions.names import names_in
from assay.telemetry.decisions.record import line_of
from assay.telemetry.decisions.recording import Recording, TextPolicy
from assay.telemetry.decisions.redaction import redact
from benchmarks.sets import ROOT, load, run, task_named

ARTIFACT = ROOT / "tests" / "artifacts" / "v1" / "words-and-characters"
TEXTS = 2_000
WRITES = 20_000
BURST = 20
"""Writes between two pauses, so that the queue is drained as it is in a service."""
REPEATS = 5
TOGETHER = 50
"""Texts of one request at full speed."""
POLICIES: tuple[TextPolicy, ...] = ("hash", "redacted", "full")
ROTATE_BYTES = 16 * 1024 * 1024
MEMORY_SECONDS = 5.0


class Nowhere:
    """A sink that takes decisions and does nothing: what the call alone costs."""

    def write(self, decided: Decided) -> None:
        """Do nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minutes", type=float, default=0.0)
    options, rest = parser.parse_known_args(arguments)
    measured = partial(measure, minutes=options.minutes)
    return run("decision_log", __doc__ or "", "sms_spam.parquet", measured, rest)


def measure(folder: Path, progress: Progress, *, minutes: float = 0.0) -> dict[str, Any]:
    """Return the cost of a write, of a decision by policy, and what became of full speed."""
    texts = {
        "sms": load(task_named("spam"), folder / "sms_spam.parquet", progress).test.texts[:TEXTS],
        "imdb": load(task_named("sentiment"), folder / "imdb_*.parquet", progress).test.texts[:TEXTS],
    }
    cascade = load_artifact(ARTIFACT).at_version("1")
    found: dict[str, Any] = {"writes": WRITES}
    with progress.step("time writes on the way of a request"):
        found["write"] = writes(cascade, texts["sms"])
    with progress.step("time decisions beside the requests"):
        found["decision"] = {name: costs(cascade, some) for name, some in texts.items()}
    if minutes:
        with progress.step(f"decide for {minutes:g} minutes as fast as possible"):
            found["full_speed"] = full_speed(cascade, texts["sms"], minutes * 60)
    return found


def told(cascade: Cascade, texts: Sequence[str], decisions: Sequence[Decision] | None = None) -> Decided:
    """Return texts of one request with their decisions."""
    exchange = Exchange(
        request_id="0" * 32, method="POST", path="/predict", route="/v1/tasks/{task}/predict", key="shop"
    )
    return Decided(
        cascade=cascade, texts=texts, decisions=decisions or cascade.decide(texts), exchange=exchange
    )


def writes(cascade: Cascade, texts: Sequence[str]) -> dict[str, Any]:
    """Return nanoseconds of one write into the running log, and into a sink that does nothing."""
    given = [told(cascade, [text]) for text in texts]
    empty = spread(timed(Nowhere(), given))
    with tempfile.TemporaryDirectory() as folder:
        log = DecisionLog(Path(folder) / "logs", metrics=Counters())
        with log.running():
            written = spread(timed(log, given))
        state = log.state()
    return {"empty": empty, "log": written, "dropped": state["dropped"]}


def timed(sink: DecisionSink, given: Sequence[Decided]) -> list[int]:
    """Return nanoseconds of each write."""
    took = []
    for number in range(WRITES):
        each = given[number % len(given)]
        begun = time.perf_counter_ns()
        sink.write(each)
        took.append(time.perf_counter_ns() - begun)
        if number % BURST == 0:
            time.sleep(0.001)
    return took


def spread(values: Sequence[int]) -> dict[str, float]:
    """Return median and 99th percentile, in microseconds."""
    cuts = statistics.quantiles(values, n=100)
    return {"median": cuts[49] / 1_000, "p99": cuts[98] / 1_000}


def costs(cascade: Cascade, texts: Sequence[str]) -> dict[str, Any]:
    """Return microseconds of processor of a decision beside the requests, by what is kept of texts."""
    decisions = cascade.decide(texts)
    given = [told(cascade, [text], [each]) for text, each in zip(texts, decisions, strict=True)]
    found: dict[str, Any] = {"texts": len(texts), "characters": statistics.mean(map(len, texts))}
    for policy in POLICIES:
        recording = Recording(Hashes(b"benchmark"), text=policy)
        found[policy] = processor(partial(lines, recording, given)) / len(given)
    found["redaction"] = processor(lambda: [redact(text) for text in texts]) / len(texts)
    found["redacted"] = {"us": found["redacted"], "changed": sum(redact(text) != text for text in texts)}
    return found


def lines(recording: Recording, given: Sequence[Decided]) -> None:
    """Make the line of each decision."""
    for each in given:
        _, fields = recording.note(each, each.texts[0], each.decisions[0], None)
        line_of(fields or {})


def processor(work: Callable[[], object]) -> float:
    """Return microseconds of processor of the quickest of some runs."""
    took = []
    for _ in range(REPEATS):
        begun = time.thread_time()
        work()
        took.append(time.thread_time() - begun)
    return min(took) * 1e6


def full_speed(cascade: Cascade, texts: Sequence[str], seconds: float) -> dict[str, Any]:
    """Decide for so long as fast as one thread can, and return what became of the decisions."""
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        log = DecisionLog(
            logs, metrics=Counters(), policy=LogPolicy(text="redacted", rotate_bytes=ROTATE_BYTES)
        )
        memory, offered, waiting = [resident()], 0, 0
        begun = time.perf_counter()
        with log.running():
            noted = begun
            while (now := time.perf_counter()) - begun < seconds:
                start = offered % (len(texts) - TOGETHER)
                log.write(told(cascade, texts[start : start + TOGETHER]))
                offered += TOGETHER
                if now - noted >= MEMORY_SECONDS:
                    noted = now
                    memory.append(resident())
                    waiting = max(waiting, log.state()["waiting"])
        took = time.perf_counter() - begun
        closed = [name for name in names_in(logs) if not name.active]
        size = sum(name.path.stat().st_size for name in names_in(logs))
        state = log.state()
    return {
        "seconds": took,
        "offered": offered,
        "written": state["written"],
        "dropped": state["dropped"],
        "most_waiting": waiting,
        "memory": {"start": memory[0], "after_warm_up": memory[min(2, len(memory) - 1)], "end": memory[-1]},
        "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "closed": len(closed),
        "compressed": sum(name.kind == "jsonl.gz" for name in closed),
        "bytes_on_disk": size,
    }


def resident() -> int:
    """Return this process's memory, in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    raise SystemExit(main())

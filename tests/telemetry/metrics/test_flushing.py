"""Counts that are added up in memory: none is lost or doubled on the way to where all workers read them."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assay.estimators import Decision
from assay.service import Exchange
from assay.telemetry import Counters
from tests.telemetry.scraped import samples

DECIDED, ASKED = "assay_decisions_total", "assay_requests_total"
SUMS = (
    DECIDED, ASKED, "assay_score_count", "assay_request_seconds_count", "assay_request_texts_count",
    "assay_errors_total", "assay_reviews_total",
)  # fmt: skip


def decision(score: float = 0.25, *, review: bool = True) -> Decision:
    """Return a decision of a model."""
    values = {"task": "spam", "label": "ham", "confidence": 1 - score, "score": score, "threshold": 0.5}
    return Decision(**values, decided_by="model", model="M", version="1", review=review)  # type: ignore[arg-type]


def exchange(*, code: str = "bad") -> Exchange:
    """Return a request for one text that was answered with an error all the same."""
    call = {"method": "POST", "path": "/predict", "route": "/predict", "task": "spam", "code": code}
    return Exchange(request_id="1", status=500, seconds=0.001, texts=1, **call)


def sums(counters: Counters) -> dict[str, float]:
    """Return what a scrape reads, added up over labels."""
    found = dict.fromkeys(SUMS, 0.0)
    for (name, _), value in samples(counters).items():
        if name in found:
            found[name] += value
    return found


def stored(counters: Counters) -> float:
    """Return how many decisions are where all workers read them."""
    [metric] = counters._families.decisions.collect()
    return sum(sample.value for sample in metric.samples if sample.name == DECIDED)


def test_counts_wait_until_the_load_is_told_or_they_are_read() -> None:
    counters = Counters()
    flushes = (
        lambda: counters.load(delay=0.0, in_flight=0, connections=0),
        counters.flush, counters.render, counters.statistics,
    )  # fmt: skip
    for number, flush in enumerate(flushes, start=1):
        counters.decided([decision()])
        counters.request(exchange())
        assert stored(counters) == number - 1
        flush()
        assert stored(counters) == number
    assert set(sums(counters).values()) == {4}


def test_threads_that_count_while_others_flush_lose_and_double_nothing() -> None:
    counters, ended = Counters(), threading.Event()

    def count() -> None:
        for _ in range(2_000):
            counters.decided([decision()])
            counters.request(exchange())
            counters.decided([decision(), decision(0.75)])

    def flush() -> None:
        while not ended.is_set():
            counters.flush()

    counting = [threading.Thread(target=count) for _ in range(3)]
    flushing = [threading.Thread(target=flush) for _ in range(2)]
    for thread in (*counting, *flushing):
        thread.start()
    for thread in counting:
        thread.join()
    ended.set()
    for thread in flushing:
        thread.join()
    read = sums(counters)
    assert (read[DECIDED], read["assay_score_count"], read["assay_reviews_total"]) == (18_000,) * 3
    assert (read[ASKED], read["assay_request_seconds_count"], read["assay_errors_total"]) == (6_000,) * 3


def test_nothing_is_counted_on_the_way_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()

    def refuse(*_: object) -> None:
        raise AssertionError("a request was counted at once")

    for name in ("requests", "seconds", "texts", "decisions", "scores", "confidence", "reviews", "errors"):
        monkeypatch.setattr(getattr(counters._families, name), "labels", refuse)
    counters.decided([decision()])
    counters.decided([decision(), decision()])
    counters.request(exchange())
    with pytest.raises(AssertionError):
        counters.flush()


def test_a_process_that_is_forked_leaves_to_its_parent_what_that_has_added_up() -> None:
    counters = Counters()
    counters.decided([decision()] * 3)
    counters.request(exchange())
    end, other = os.pipe()
    child = os.fork()
    if not child:
        counters.decided([decision()])
        counters.flush()
        os.write(other, str(stored(counters)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(end, 10) == b"1.0"
    assert (sums(counters)[DECIDED], sums(counters)[ASKED]) == (3, 1)


WORKER = """
import sys
from pathlib import Path
from tests.telemetry.metrics.test_flushing import Counters, decision, exchange

counters = Counters(Path(sys.argv[1]))
for _ in range(5):
    counters.decided([decision()])
    counters.request(exchange())
counters.load(delay=0.0, in_flight=0, connections=0)
for _ in range(2):
    counters.decided([decision()])
print(flush=True)
sys.stdin.readline()
if sys.argv[2] == "stop":
    counters.flush()
"""


@pytest.mark.parametrize(("end", "decided"), [("kill", 5), ("stop", 7)])
def test_a_worker_that_is_killed_loses_what_came_after_the_load_was_told(
    tmp_path: Path, end: str, decided: int
) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path), end]
    reader = """
import json, sys
from pathlib import Path
from tests.telemetry.metrics.test_flushing import Counters, sums
print(json.dumps(sums(Counters(Path(sys.argv[1])))))
"""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    if end == "kill":
        process.kill()
    process.communicate("\n")
    told = subprocess.run(
        [sys.executable, "-c", reader, str(tmp_path)], capture_output=True, text=True, check=True
    )
    read = json.loads(told.stdout)
    assert (read[DECIDED], read["assay_score_count"], read[ASKED], read["assay_errors_total"]) == (
        decided, decided, 5, 5,
    )  # fmt: skip

"""Queues, batches and the cache are counted, by one worker and by several."""

import os
import subprocess
import sys
from pathlib import Path

from assay.telemetry import Counters

WORKER = """
import sys
from pathlib import Path
from assay.telemetry import Counters

counters = Counters(Path(sys.argv[1]))
counters.queued(3)
counters.queued(-1)
counters.waited(0.02)
counters.batched(2, 300, 0.03)
counters.queue_full(1)
counters.deadline_missed(2)
counters.batch_failed(1)
counters.looked_up("local", 5)
counters.cached(7, 700)
print("told", flush=True)
sys.stdin.readline()
print(counters.render().decode())
"""


def test_what_several_workers_tell_is_added_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": dict(os.environ)}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:  # type: ignore[call-overload]
        assert [each.stdout.readline() for each in (one, other)] == ["told\n", "told\n"]
        text, _ = one.communicate("\n", timeout=120)
        other.communicate("\n", timeout=120)
    lines = text.splitlines()
    for name, value in {
        "queue_texts": 4, "queue_seconds_count": 2, "queue_refused_total": 2, "deadline_missed_total": 4,
        "batch_texts_sum": 4, "batch_tokens_sum": 600, "batch_seconds_count": 2, "batch_failed_total": 2,
        'cache_lookups_total{tier="local"}': 10, "cache_entries": 14, "cache_bytes": 1400,
    }.items():  # fmt: skip
        assert f"assay_{name} {float(value)}" in lines


def test_an_empty_queue_and_an_unused_cache_count_nothing() -> None:
    lines = Counters().render().decode().splitlines()
    assert "assay_queue_texts 0.0" in lines
    assert "assay_cache_entries 0.0" in lines

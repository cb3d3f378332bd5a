"""Counts of several processes, read as one."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.multiprocess import mark_process_dead

WORKER = """
import os, sys
from pathlib import Path
from assay.estimators import Decision
from assay.service import Exchange
from assay.telemetry import Counters

folder, version, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
counters = Counters(folder)
values = {"task": "spam", "label": "ham", "confidence": 0.5, "score": 0.5, "threshold": 0.6}
decision = Decision(**values, decided_by="model", model="M", version=version)
for _ in range(count):
    counters.decided([decision])
    counters.request(Exchange(request_id="1", method="GET", path="/", route="/", status=200, seconds=0.01))
counters.serving("spam", "1")
counters.serving("spam", version)
counters.degraded("redis", version == "2")
counters.load(delay=count / 100, in_flight=count, connections=count)
counters.logged(count, 10)
counters.log_state(count, count)
counters.registry(count != 5, count, 0)
counters.drift("spam", version, {"label": count / 10}, ["label"], count)
print(os.getpid(), counters.statistics()["decisions"], flush=True)
sys.stdin.readline()
print(counters.render().decode())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the processes count."""
    return tmp_path


def started(folder: Path, version: str, count: int) -> tuple[subprocess.Popen[str], int, int]:
    """Start a process that counts; return it, its id and how many decisions it tells of."""
    command = [sys.executable, "-c", WORKER, str(folder), version, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid, decisions = process.stdout.readline().split()
    return process, int(pid), int(decisions)


def test_counts_are_summed_and_outlive_a_process_whose_state_does_not(folder: Path) -> None:
    dead, pid, told = started(folder, "1", 3)
    with dead:
        assert told == 3
        dead.kill()
    mark_process_dead(pid, str(folder))
    first, _, told = started(folder, "2", 4)
    assert told == 7
    second, _, told = started(folder, "3", 5)
    assert told == 12
    said = first.communicate("\n")[0]
    second.communicate("\n")
    lines = set(said.splitlines())
    for version, count in (("1", 3), ("2", 4), ("3", 5)):
        labels = f'decided_by="model",label="ham",rule="",task="spam",version="{version}"'
        assert f"assay_decisions_total{{{labels}}} {count}.0" in lines
    assert 'assay_requests_total{method="GET",route="/",status="200",task=""} 12.0' in lines
    assert 'assay_request_seconds_count{method="GET",route="/",task=""} 12.0' in lines
    assert 'assay_served{task="spam",version="1"} 0.0' in lines
    assert 'assay_served{task="spam",version="2"} 1.0' in lines
    assert 'assay_degraded{part="redis"} 1.0' in lines
    assert "assay_in_flight 9.0" in lines
    assert "assay_loop_delay_seconds 0.05" in lines
    assert {"assay_workers 2.0", "assay_worker_starts_total 3.0"} <= lines
    assert {"assay_decision_log_written_total 12.0", "assay_decision_log_bytes_total 30.0"} <= lines
    assert {"assay_decision_log_waiting 9.0", "assay_decision_log_lag_seconds 5.0"} <= lines
    assert {"assay_registry_answering 0.0", "assay_registry_age_seconds 5.0"} <= lines
    assert 'assay_drift_score{statistic="label",task="spam",version="3"} 0.5' in lines
    assert not any('statistic="label",task="spam",version="1"' in line for line in lines)


SWAPPED = """
import sys
from pathlib import Path
from assay.telemetry import Counters

counters = Counters(Path(sys.argv[1]))
counters.serving("spam", "1")
counters.drift("spam", "1", {"label": 0.3}, ["label"], 1000)
print(flush=True)
sys.stdin.readline()
counters.serving("spam", "2")
print(flush=True)
sys.stdin.readline()
counters.registry(True, 1.0, 0)
print(counters.render().decode())
"""


def test_a_series_is_there_until_no_process_has_it(folder: Path) -> None:
    command = [sys.executable, "-c", SWAPPED, str(folder)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    first, second = workers
    assert first.stdin is not None
    first.stdin.write("\n")
    first.stdin.flush()
    assert first.stdout is not None
    first.stdout.readline()
    said = first.communicate("\n")[0]
    assert 'assay_drift_score{statistic="label",task="spam",version="1"} 0.3' in said
    # The other has not asked the registry yet, so nobody knows whether it answers everywhere.
    assert not any(line.startswith("assay_registry_answering") for line in said.splitlines())
    said = second.communicate("\n\n")[0]
    assert "assay_drift_score{" not in said
    assert "assay_registry_answering 1.0" in said.splitlines()

"""Versions swapped under a service at full load: ``make swaps``, or ``python -m benchmarks.swaps``.

A real ``assay serve`` is asked by clients without pause while the version in production changes
``SWAPS`` times (1,000 unless the environment says otherwise); three versions of two models take turns, so
that every swap loads one. Then promotion and rollback are timed, told and found by polling, on SQLite and
on an MLflow server.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from assay.config import Task
from assay.datasets import Dataset
from assay.estimators import load_artifact, read_manifest, save_artifact, train_cascade
from assay.loading import open_registry
from assay.progress import Progress
from assay.settings import Settings
from benchmarks.asking import Scores, Seen, asking
from benchmarks.collecting import collector_figures
from benchmarks.sets import load, run, task_named

SWAPS = int(os.environ.get("SWAPS", "1000"))
TIMED = int(os.environ.get("TIMED", "10"))
"""Promotions and rollbacks timed each way."""
CLIENTS = 3
QUIET_SECONDS = 10.0
"""How long the load is measured without swaps, for comparison."""
SAMPLES = 20
"""How often memory is looked at."""
POLL_SECONDS = 2.0
STRENGTHS = (10.0, 3.0)
"""C of the two models: near enough to be two trainings of one task, with other scores."""


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what clients saw during the swaps, memory, and the seconds to the first answer."""
    task = task_named("spam")
    dataset = load(task, folder / "sms_spam.parquet", progress)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        artifacts = [train(task, dataset, strength, home, progress) for strength in STRENGTHS]
        texts = dataset.test.texts[:200]
        with progress.step(f"swap {SWAPS} times under load"):
            swaps = under_load(home / "sqlite", artifacts, texts)
        with progress.step("time promotions on SQLite"):
            sqlite = timed(Settings(home=home / "timed"), artifacts)
        with progress.step("time promotions on a server"), server(home / "server") as uri:
            remote = timed(Settings(home=home / "remote", tracking_uri=uri), artifacts)
        collector = collector_figures(artifacts[0])
    return {"swaps": swaps, "sqlite": sqlite, "server": remote, "collector": collector}


def train(task: Task, dataset: Dataset, strength: float, home: Path, progress: Progress) -> Path:
    """Return the artifact of a model trained with a strength of its own."""
    estimator = task.estimator.model_copy(update={"C": strength})
    cascade = train_cascade(
        task.model_copy(update={"estimator": estimator}), dataset.train, dataset.validation, progress=progress
    )
    folder = home / f"artifact-{strength}"
    save_artifact(cascade, folder, golden=dataset.validation.texts[:50], provenance={"git_commit": None})
    return folder


class Movable:
    """A registry in which every version has been in production, so that any may come back."""

    def __init__(self, settings: Settings, artifacts: Sequence[Path], order: Sequence[int]) -> None:
        self.registry = open_registry(settings)
        self.model = ""
        report = settings.home / "report"
        report.mkdir(parents=True)
        (report / "report.json").write_text("{}")
        for place in order:
            artifact = artifacts[place]
            task = load_artifact(artifact).task
            made = self.registry.log_run(
                task, artifact=artifact, report=report, metrics={}, params={}, tags={}
            )
            found = self.registry.register(task, made, manifest=read_manifest(artifact), gate=None)
            self.registry.promote(task.model, found.number, who="benchmark", override="to measure swaps")
            self.model = task.model

    def move(self, number: str) -> None:
        """Put a version into production."""
        self.registry.rollback(self.model, number, who="benchmark")


@contextmanager
def service(settings: Settings) -> Iterator[tuple[str, int]]:
    """Run ``assay serve`` on a free port; give its address and process id."""
    environment = {
        **os.environ,
        "ASSAY_HOME": str(settings.home),
        "ASSAY_TRACKING_URI": settings.tracking_uri,
        "ASSAY_POLL_SECONDS": str(POLL_SECONDS),
    }
    command = [sys.executable, "-m", "assay.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = ""
        for line in process.stderr:
            address = line.partition("then ")[2].partition(" answers")[0] or address
            if "startup complete" in line:
                break
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        try:
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(60)
            drain.wait(10)


def under_load(home: Path, artifacts: Sequence[Path], texts: Sequence[str]) -> dict[str, Any]:
    """Return what clients saw while versions took turns, and the memory of the service."""
    order = (0, 1, 0)
    movable = Movable(Settings(home=home), artifacts, order)
    each = [[decision.score for decision in load_artifact(one).decide(texts)] for one in artifacts]
    scores: Scores = {str(number): each[place] for number, place in enumerate(order, start=1)}
    memory, seconds = [], []
    with (
        service(Settings(home=home)) as (address, pid),
        asking(address, "spam", texts, scores, CLIENTS) as seen,
    ):
        time.sleep(QUIET_SECONDS)
        began = time.time()
        for swap in range(SWAPS):
            if swap % max(SWAPS // SAMPLES, 1) == 0:
                memory.append(resident(pid))
            movable.move(str(swap % 3 + 1))
            seconds.append(told(address, str(swap % 3 + 1)))
        ended = time.time()
        memory.append(resident(pid))
    return {
        **told_of(sum(seen, Seen()), began, ended),
        "swaps": SWAPS,
        "seconds": ended - began,
        "refresh": spread(seconds),
        "memory_mib": memory,
    }


def told_of(seen: Seen, began: float, ended: float) -> dict[str, Any]:
    """Return what clients saw, and their latencies before the swaps and during them."""
    before = [took for sent, took in seen.singles if sent < began]
    during = [took for sent, took in seen.singles if began <= sent <= ended]
    return {
        "clients": CLIENTS,
        "requests": seen.versions.total() + seen.failures.total(),
        "failed": dict(seen.failures),
        "mixed": seen.mixed,
        "by_version": dict(sorted(seen.versions.items())),
        "latency": {"without": spread(before), "with": spread(during)},
    }


def resident(pid: int) -> float:
    """Return the memory of a process and those below it, in MiB, shared pages divided among them."""
    total, pids = 0, [pid]
    while pids:
        each = pids.pop()
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            for path in Path(f"/proc/{each}/task").glob("*/children"):
                pids += [int(child) for child in path.read_text().split()]
        except OSError:
            continue
    return total / 1024


def told(address: str, number: str) -> float:
    """Have the service look at once; return the seconds until it has."""
    started = time.perf_counter()
    answer = httpx.post(f"{address}/v1/admin/refresh", timeout=60).raise_for_status().json()
    assert answer["tasks"]["spam"]["version"] == number, answer
    return time.perf_counter() - started


def timed(settings: Settings, artifacts: Sequence[Path]) -> dict[str, Any]:
    """Return the seconds from a command's end to the first answer, of moves to a version that has to be
    loaded and back to the one before, told and found by polling."""
    order = [0] + [place % 2 for place in range(1, 2 * TIMED + 2)]
    movable = Movable(settings, artifacts, order)
    numbers = [str(number) for number in range(1, len(order) + 1)]
    found: dict[str, list[float]] = {}
    with service(settings) as (address, _):
        movable.move(numbers[0])
        wait_for(address, numbers[0])
        fresh = iter(numbers[1:])
        for name, find in (("told", told), ("polled", wait_for)):
            for _ in range(TIMED):
                number = next(fresh)
                note(found, f"promotion_{name}", movable, address, number, find)
                note(found, f"rollback_{name}", movable, address, numbers[0], find)
    return {name: spread(values) for name, values in found.items()}


def note(
    found: dict[str, list[float]],
    name: str,
    movable: Movable,
    address: str,
    number: str,
    find: Callable[[str, str], float],
) -> None:
    """Move the alias and note how long the command took, and the first answer after its end."""
    started = time.perf_counter()
    movable.move(number)
    found.setdefault(f"command_{name}", []).append(time.perf_counter() - started)
    ended = time.perf_counter()
    find(address, number)
    wait_for(address, number)
    found.setdefault(name, []).append(time.perf_counter() - ended)


def wait_for(address: str, number: str) -> float:
    """Return the seconds until a version answers."""
    started = time.perf_counter()
    with httpx.Client(base_url=address) as client:
        while True:
            answer = client.post("/v1/tasks/spam/predict", json={"text": "free"}).json()
            if answer.get("version") == number:
                return time.perf_counter() - started
            time.sleep(0.01)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run an MLflow server under a folder; give its address."""
    folder.mkdir()
    port = 5000 + os.getpid() % 10_000
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **quiet})
    try:
        while process.poll() is None and not _answers(uri):
            time.sleep(0.2)
        yield uri
    finally:
        process.terminate()
        process.wait(60)


def _answers(uri: str) -> bool:
    try:
        return httpx.get(f"{uri}/health").is_success
    except httpx.HTTPError:
        return False


def spread(values: Sequence[float]) -> Mapping[str, float]:
    """Return the median, the 99th percentile and the largest of some seconds, and how many they are."""
    cuts = quantiles(values, n=100) if len(values) > 1 else [values[0]] * 99
    return {
        "median": median(values),
        "p99": min(cuts[98], max(values)),
        "max": max(values),
        "of": len(values),
    }


if __name__ == "__main__":
    sys.exit(run("swaps", __doc__ or "", "sms_spam.parquet", measure))

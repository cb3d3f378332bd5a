"""A real ``assay serve`` of this checkout to measure: its home, its versions, its process, its answers."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.access import parse_rate
from assay.estimators import Cascade, load_artifact
from assay.keyring import open_keys
from assay.loading import open_registry
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.registry import open_version
from assay.settings import Settings
from benchmarks.load import Answer, post
from benchmarks.sets import ROOT, task_named

WHO = "benchmark"
START_SECONDS = 60


@dataclass(frozen=True)
class Bench:
    """A home folder with two versions of the spam task, the first in production, and texts to decide."""

    settings: Settings
    model: str
    texts: Sequence[str]
    scores: Mapping[str, Sequence[tuple[str, float | None]]]
    """By version, the label and the score that it gives each text."""
    key: str
    """The key that asks; its rate is never reached."""

    def request(self, address: str, number: int) -> bytes:
        """Return the request for one of the texts, in turn."""
        body = json.dumps({"text": self.texts[number % len(self.texts)]}).encode()
        return post(address, "/predict", body, [f"Authorization: Bearer {self.key}"])

    def fault(self, answer: Answer) -> str | None:
        """Return what is wrong with an answer of 200: a version that does not give this label and score."""
        decision = json.loads(answer.body)
        expected = self.scores.get(decision["version"])
        if expected is None:
            return f"version {decision['version']!r} is unknown"
        label, score = expected[answer.number % len(self.texts)]
        same = (decision["score"] is None) == (score is None)
        if same and score is not None:
            same = abs(decision["score"] - score) < 1e-9
        return None if same and decision["label"] == label else f"version {decision['version']} gives {label}"


def prepare(home: Path, rows: Path, progress: Progress, *, texts: int = 500, joined: int = 1) -> Bench:
    """Return a bench whose two versions differ in their regularisation, trained on a file of messages.

    Each of its texts is so many messages, ``joined`` to one.
    """
    settings = Settings(home=home, tasks=ROOT / "tasks")
    task = task_named("spam")
    data = task.data.model_copy(update={"source": str(rows)})
    for strength in (10.0, 1.0):
        estimator = task.estimator.model_copy(update={"C": strength})
        run_pipeline(
            task.model_copy(update={"data": data, "estimator": estimator}), settings, progress=progress
        )
    registry = open_registry(settings)
    registry.promote(task.model, "2", who=WHO, override="a benchmark swaps them")
    registry.promote(task.model, "1", who=WHO, override="a benchmark swaps them")
    cascades = {number: _loaded(settings, task.model, number) for number in ("1", "2")}
    chosen = _texts(rows, texts, joined)
    scores = {
        number: [(each.label, each.score) for each in cascade.decide(chosen)]
        for number, cascade in cascades.items()
    }
    made = open_keys(settings).create(WHO, "predict", who=WHO, rate=parse_rate("10000/s"))
    return Bench(settings=settings, model=task.model, texts=chosen, scores=scores, key=made.secret)


def _loaded(settings: Settings, model: str, number: str) -> Cascade:
    _, folder = open_version(settings.store, model, number, settings.cache)
    return load_artifact(folder).at_version(number)


def _texts(rows: Path, count: int, joined: int) -> list[str]:
    import pyarrow.parquet as pq

    messages = [text for text in pq.read_table(rows)["text"].to_pylist() if text.strip()]
    return [" ".join(messages[at : at + joined]) for at in range(0, len(messages), joined)][:count]


@contextmanager
def serving(bench: Bench, **settings: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``assay serve`` on a free port, with all that it can do; give its address and its process.

    Keys are asked for and their rates counted, and each request is written into the request log.
    """
    home = bench.settings.home
    told = {"home": home, "tasks": bench.settings.tasks, "require_keys": True, **settings}
    told.setdefault("request_log", home / "requests.jsonl")
    environment = {f"ASSAY_{name.upper()}": str(value) for name, value in told.items()}
    command = [sys.executable, "-m", "assay.cli", "serve", "--port", "0"]
    log = bench.settings.home / "serve.log"
    with log.open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(command, env=os.environ | environment, stderr=errors, text=True)
        try:
            address = _wait_ready(process, log)
            yield address, process
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _wait_ready(process: subprocess.Popen[str], log: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        _, found, rest = log.read_text(encoding="utf-8").partition("then http://")
        if found:
            address = f"http://{rest.partition(' ')[0]}"
            if status_of(f"{address}/health/ready") == 200:
                return address
        time.sleep(0.05)
    raise RuntimeError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


def status_of(url: str, headers: Mapping[str, str] | None = None) -> int:
    """Return the status of a GET, 0 where nothing answers within a second."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=dict(headers or {})), timeout=1
        ) as found:
            return int(found.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 99th and 99.9th percentile and maximum, in milliseconds."""
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        name: round(1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0
        for name, share in at.items()
    }


def counted(answers: Sequence[Answer]) -> dict[str, int]:
    """Return how many answers there were of each status."""
    found: dict[str, int] = {}
    for answer in answers:
        found[str(answer.status)] = found.get(str(answer.status), 0) + 1
    return dict(sorted(found.items()))


def facts_of(bench: Bench) -> dict[str, Any]:
    """Return what a report says of a bench."""
    return {"model": bench.model, "texts": len(bench.texts), "mean_bytes": _mean_bytes(bench.texts)}


def _mean_bytes(texts: Sequence[str]) -> float:
    return round(sum(len(text.encode()) for text in texts) / len(texts), 1)

"""The model that speed is measured with, made once and kept in a folder outside of the repository.

A scikit-learn pipeline of words and pairs of words, fitted on IMDB, is brought into a registry the way
``assay import`` does it, with fifty rules on top. The requests are drawn with a fixed seed from IMDB's test
reviews ("long") and the SMS Spam Collection ("short"). A text that one of the rules would decide is left out
and the next one drawn in its place: the model decides every text, after fifty rules were tried in vain.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from assay.access import parse_rate
from assay.config import ThresholdConfig
from assay.estimators import Cascade, OperatingPoint, Rules, import_pipeline, load_artifact, share_bounds
from assay.importing import register
from assay.keyring import open_keys
from assay.loading import folder_of, open_registry
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.settings import Settings
from benchmarks.rules import fifty
from benchmarks.sets import ROOT, task_named

WORK = Path(tempfile.gettempdir()) / "assay-benchmarks"
REQUESTS = 2_000
SEED = 0
LABELS = ("negative", "positive")
SOURCES = {"long": ("imdb_test.parquet", "IMDB"), "short": ("sms_spam.parquet", "SMS")}
"""Each set of requests: its file, and how it is called in tables."""
SHIPPED = {"spam": "sms_spam.parquet", "sentiment": "imdb_*.parquet"}
"""The shipped tasks that are measured beside, and their rows."""
ENDLESS = "864000000/d"
"""A rate that is counted like any other and never reached: the most that a rate can be, for a day."""


@dataclass(frozen=True)
class Row:
    """A text with the label and the probability that a server must answer."""

    text: str
    label: str
    probability: float


Sets = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Subject:
    """A home with one version in production, its artifact, a key that may ask it, and the requests."""

    settings: Settings
    folder: Path
    key: str
    sets: Sets

    def cascade(self) -> Cascade:
        """Return what decides."""
        return load_artifact(self.folder)


def pipeline_in(work: Path) -> Path:
    """Return where the fitted pipeline is; the programs of ``shared/bench`` look for it there, too."""
    return work / "model" / "pipeline.joblib"


def facts_in(work: Path) -> dict[str, Any]:
    """Return what is known of the fitted pipeline."""
    found: dict[str, Any] = json.loads((work / "model" / "facts.json").read_text(encoding="utf-8"))
    return found


def prepare(data: Path, work: Path, progress: Progress) -> Subject:
    """Return the subject, made from the sets unless it is there already."""
    rules = fifty("raw", LABELS)
    if not pipeline_in(work).is_file():
        with progress.step("fit the scikit-learn pipeline on IMDB"):
            fit(data, work)
    if not (work / "sets.json").is_file():
        with progress.step("ask the pipeline for every text"):
            write_sets(data, work, rules)
    settings = Settings(home=work / "home", tasks=ROOT / "tasks")
    made_whole(settings.home, lambda: bring_in(data, work, rules, settings, progress))
    return Subject(settings, in_production(settings, "sentiment"), key_of(settings), read_sets(work))


def shipped(name: str, data: Path, work: Path, texts: Sets, progress: Progress) -> Subject:
    """Return a shipped task, trained on its rows and in production, with what it decides of the texts."""
    settings = Settings(home=work / f"home-{name}", tasks=ROOT / "tasks")
    task = task_named(name)
    task = task.model_copy(
        update={"data": task.data.model_copy(update={"source": str(data / SHIPPED[name])})}
    )
    made_whole(settings.home, lambda: train(task, settings, progress))
    folder = in_production(settings, name)
    cascade = load_artifact(folder)
    sets = {
        key: [
            Row(row.text, decision.label, decision.confidence)
            for row, decision in zip(rows, cascade.decide([row.text for row in rows]), strict=True)
        ]
        for key, rows in texts.items()
    }
    return Subject(settings, folder, key_of(settings), sets)


def made_whole(folder: Path, make: Callable[[], None]) -> None:
    """Make a folder anew unless it was made to its end."""
    mark = folder / "whole"
    if not mark.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make()
        mark.touch()


def train(task: Any, settings: Settings, progress: Progress) -> None:
    """Train a task and put it into production."""
    run_pipeline(task, settings, progress=progress)
    open_registry(settings).promote(task.model, "1", who="benchmark", override="to be measured")


def fit(data: Path, work: Path) -> None:
    """Fit the pipeline as ``shared/bench/prepare.py`` does and keep it with what is known of it."""
    import joblib
    import sklearn

    train, test = (table(data / f"imdb_{side}.parquet") for side in ("train", "test"))
    pipeline = unfitted()
    begun = time.perf_counter()
    pipeline.fit(*train)
    seconds = time.perf_counter() - begun
    path = pipeline_in(work)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "accuracy": float((pipeline.predict(test[0]) == np.array(test[1])).mean()),
        "features": len(pipeline[0].vocabulary_),
        "fit_seconds": round(seconds, 2),
        "scikit_learn": sklearn.__version__,
    }
    (path.parent / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    joblib.dump(pipeline, path.with_suffix(".draft"))
    path.with_suffix(".draft").replace(path)


def unfitted() -> Any:
    """Return the pipeline before it is fitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
        LogisticRegression(C=10, solver="liblinear"),
    )


def table(path: Path) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of a file."""
    import pyarrow.parquet as pq

    read = pq.read_table(path)
    return read["text"].to_pylist(), read["label"].to_pylist()


def drawn(texts: Sequence[str], rules: Rules, count: int = REQUESTS) -> list[str]:
    """Return texts in an order of chance, the same each time, without those that a rule decides."""
    order = np.random.default_rng(SEED).permutation(len(texts)).tolist()
    usable = (text for text in (texts[at] for at in order) if text.strip() and not rules.hits([text]).any())
    return list(islice(usable, count))


def write_sets(data: Path, work: Path, rules: Rules) -> None:
    """Write the requests with what the pipeline says of each, asked one by one."""
    import joblib

    pipeline = joblib.load(pipeline_in(work))
    sets: dict[str, list[tuple[str, str, float]]] = {}
    for name, (file, _) in SOURCES.items():
        sets[name] = []
        for text in drawn(table(data / file)[0], rules):
            [given] = pipeline.predict_proba([text])
            best = int(given.argmax())
            sets[name].append((text, str(pipeline.classes_[best]), float(given[best])))
    (work / "sets.json").write_text(json.dumps(sets), encoding="utf-8")


def read_sets(work: Path) -> Sets:
    """Return the requests by the name of their set."""
    sets = json.loads((work / "sets.json").read_text(encoding="utf-8"))
    return {name: [Row(*row) for row in rows] for name, rows in sets.items()}


def bring_in(data: Path, work: Path, rules: Rules, settings: Settings, progress: Progress) -> None:
    """Register the pipeline under fifty rules, with report and profile, and put it into production."""
    model, probes = import_pipeline(pipeline_in(work), LABELS, {})
    task = task_named("sentiment")
    task = task.model_copy(
        update={
            "data": task.data.model_copy(update={"source": str(data / "imdb_*.parquet")}),
            "rules": "benchmarks/patterns.toml",
            "calibration": "none",
            "threshold": ThresholdConfig(),
        }
    )
    texts, truth = table(data / "imdb_train.parquet")
    point = OperatingPoint(threshold=0.5, goal="fixed", rules=worth(rules, texts, truth))
    cascade = Cascade(task=task, model=model, operating_point=point, rules=rules)
    with tempfile.TemporaryDirectory(dir=settings.home) as folder:
        register(cascade, probes, Path(folder), settings, rows=True, promote=False, progress=progress)
    open_registry(settings).promote(task.model, "1", who="benchmark", override="to be measured")


def worth(rules: Rules, texts: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """Return what each rule is worth on labelled texts, as an operating point holds it."""
    hits = rules.hits(texts)
    found = {}
    for column, rule in enumerate(rules.deciding):
        labels = [truth[at] for at in np.flatnonzero(hits[:, column]).tolist()]
        right = labels.count(rule.label)
        found[rule.id] = {"hits": len(labels), "right": right, "low": share_bounds(right, len(labels))[0]}
    return found


def in_production(settings: Settings, task: str) -> Path:
    """Return the artifact folder of a task's production version."""
    return folder_of(task, version="production", settings=settings)[0]


def key_of(settings: Settings) -> str:
    """Return a key that may predict at a rate which is never reached, the same one each time."""
    path = settings.home / "key"
    if not path.is_file():
        name = f"benchmark-{time.time_ns()}"
        made = open_keys(settings).create(name, "predict", who="benchmark", rate=parse_rate(ENDLESS))
        path.touch(mode=0o600)
        path.write_text(made.secret, encoding="ascii")
    return path.read_text(encoding="ascii")

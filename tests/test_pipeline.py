"""The whole life of a model on a real MLflow, and what a run leaves behind."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

import assay
from assay.cli import main
from assay.config import Task, read_task
from assay.datasets import Dataset
from assay.estimators import save_artifact, train_cascade
from assay.evaluation import Report
from assay.evaluation.plots import PLOTS
from assay.evaluation.report import METRICS
from assay.families import TfidfConfig
from assay.judging import read_rows
from assay.loading import open_registry
from assay.pipeline import Outcome, run_pipeline
from assay.progress import Progress
from assay.registry import Registry
from assay.settings import Settings
from tests.running import ASSAY, PATIENCE_SECONDS, files_under, read_until, serving, started, unmeasured

SPAM = {"text": "free prize claim now"}
GOOD = "word_ngrams = [1, 2]\nmin_df = 1"
WORSE = "min_df = 1\n[threshold]\nvalue = 0.999"
SAME_BUT_FOR_ITS_FILE = "word_ngrams = [1, 2]\nmin_df = 1\nmax_iter = 999"


def write_task(estimator: str = GOOD) -> Task:
    """Write the user's task file and return the task."""
    path = Path("tasks/spam.toml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\nexperiment = "spam-detection"\n'
        f'[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n[estimator]\n{estimator}\n'
    )
    return read_task(path)


def settings() -> Settings:
    """Return the settings of a user in the current folder."""
    return Settings(home=Path(".assay").absolute())


def registry() -> Registry:
    """Return the registry of a user in the current folder."""
    return open_registry(settings())


def aliases() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the stage and aliases of every version."""
    return {each.number: (each.stage, each.aliases) for each in registry().versions("SpamClassifier")}


def quiet_run(task: Task, **options: Any) -> Outcome:
    """Train without a word."""
    return run_pipeline(task, settings(), progress=Progress(quiet=True), **options)


@pytest.mark.usefixtures("workplace")
def test_a_model_lives_from_training_to_its_successor(capsys: pytest.CaptureFixture[str]) -> None:
    write_task(GOOD)
    assert main(["train", "spam", "--promote"]) == 0
    with serving() as (address, _):
        first = httpx.post(f"{address}/predict", json=SPAM).json()
        assert (first["label"], first["version"], first["model"]) == ("spam", "1", "SpamClassifier")

        write_task(WORSE)
        assert main(["train", "spam", "--promote"]) == 2
        assert "version 2 is registered and blocked" in capsys.readouterr().out
        assert aliases() == {"1": ("Production", ("production",)), "2": ("None", ())}

        write_task(SAME_BUT_FOR_ITS_FILE)
        assert main(["train", "spam"]) == 0
        said = capsys.readouterr().out
        assert "Both versions were judged on the same rows" in said
        assert "of version 1 in production" in said
        assert aliases()["3"] == ("None", ())
        check_that_the_service_needs_no_registry(address, first)

    assert main(["promote", "spam", "3"]) == 0
    assert aliases() == {
        "1": ("Archived", ("previous",)), "2": ("None", ()), "3": ("Production", ("production",)),
    }  # fmt: skip
    with serving() as (address, _):
        assert httpx.post(f"{address}/predict", json=SPAM).json()["version"] == "3"
    registry().rollback("SpamClassifier", who="ann")
    assert assay.load("spam").version == "1"


def check_that_the_service_needs_no_registry(address: str, first: dict[str, Any]) -> None:
    """Move the registry away from under a running service and ask again."""
    database = Path(".assay/mlflow.db")
    database.rename("elsewhere.db")
    try:
        answer = httpx.post(f"{address}/predict", json=SPAM).json()
        assert {**answer, "id": ""} == {**first, "id": ""}
        assert httpx.get(f"{address}/health/ready").status_code == 200
        # Whether it has noticed yet depends on when it last looked.
        health = httpx.get(f"{address}/health").json()
        assert (health["tasks"]["spam"]["version"], health["tasks"]["spam"]["reason"]) == ("1", None)
    finally:
        Path("elsewhere.db").rename(database)


@contextmanager
def run_held() -> Iterator[None]:
    """Wait until a run is being logged, and keep it so: nobody else can write as long as the block runs."""
    deadline, running = time.monotonic() + PATIENCE_SECONDS, "select 1 from runs where status = 'RUNNING'"
    with closing(sqlite3.connect(".assay/mlflow.db", timeout=30, isolation_level=None)) as database:
        while not database.execute(running).fetchone():
            assert time.monotonic() < deadline, "no run was logged"
            time.sleep(0.005)
        database.execute("BEGIN IMMEDIATE")
        assert database.execute(running).fetchone(), "the run ended at once"
        yield


@pytest.mark.parametrize("line", ["reading", "fit", "run is being logged"])
@pytest.mark.usefixtures("workplace")
def test_a_killed_run_leaves_no_version_and_the_next_one_works(line: str) -> None:
    task = write_task()
    with started("train", "spam", "--promote") as process:
        if line != "run is being logged":
            read_until(process, f"^  {line} ")
        with run_held() if line == "run is being logged" else nullcontext():
            process.kill()
            assert process.wait() == -9
    assert registry().versions("SpamClassifier") == []
    assert quiet_run(task, promote=True).version.number == "1"
    assert assay.load("spam").predict([SPAM["text"]]) == ["spam"]


@pytest.mark.usefixtures("workplace")
def test_an_interrupted_run_says_so_and_leaves_no_version() -> None:
    write_task()
    with started("train", "spam") as process:
        read_until(process, "^  fit ")
        process.send_signal(2)
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert process.stderr.read().endswith("\nStopped.\n")
    assert registry().versions("SpamClassifier") == []
    assert list(Path(".assay").glob("candidate-*")) == []


@pytest.mark.usefixtures("workplace")
def test_a_full_disk_leaves_no_version() -> None:
    write_task()
    limited = ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *ASSAY, "train", "spam"]
    done = subprocess.run(limited, capture_output=True, text=True, env=unmeasured())
    assert done.returncode == 1
    assert "could not be written: File too large. Nothing of it was kept." in done.stderr
    assert registry().versions("SpamClassifier") == []
    assert list(Path(".assay").glob("candidate-*")) == []


@pytest.mark.usefixtures("workplace")
def test_the_same_rows_make_the_same_model(tmp_path: Path) -> None:
    task, quiet = write_task(), Progress(quiet=True)
    dataset = read_rows(task, settings(), progress=quiet)

    def digest(rows: Dataset, name: str) -> str:
        cascade = train_cascade(task, rows.train, rows.validation, progress=quiet)
        return save_artifact(cascade, tmp_path / name, golden=["free"], provenance={}).digest

    first = digest(dataset, "a")
    assert digest(dataset, "b") == first != ""
    lines = Path("mine.csv").read_text().splitlines()
    Path("mine.csv").write_text("\n".join([*lines[:40], *lines[41:]]) + "\n")
    changed = read_rows(task, settings(), progress=quiet)
    assert digest(changed, "c") != first


@pytest.mark.usefixtures("workplace")
def test_nothing_is_registered_when_the_rows_cannot_be_used() -> None:
    task = write_task()
    Path("mine.csv").write_text("T,X\nlunch,ham\n")
    with pytest.raises(assay.AssayError, match=r"has no column 'L'; its columns are \['T', 'X'\]"):
        quiet_run(task)
    assert registry().versions("SpamClassifier") == []


def all_artifacts(client: Any, run_id: str, path: str = "") -> list[str]:
    """Return the paths of every file of a run."""
    found = []
    for each in client.list_artifacts(run_id, path):
        found += all_artifacts(client, run_id, each.path) if each.is_dir else [each.path]
    return sorted(found)


@dataclass
class Logged:
    """A run as MLflow has it, the folder of its artifacts, and the report among them."""

    run: Any
    folder: Path
    report: Report


@pytest.fixture
def logged(trained: Path) -> Logged:
    """The run that made the only version of ``mine``, in a checkout."""
    home = trained / ".assay"
    registry = open_registry(Settings(home=home))
    [version] = registry.versions("MineClassifier")
    with registry._client.session() as client:
        run = client.get_run(version.run_id)
        files = all_artifacts(client, version.run_id)
    folder = Path(unquote(urlsplit(run.info.artifact_uri).path))
    assert files == files_under(folder)
    return Logged(run, folder, Report.from_json((folder / "report/report.json").read_bytes()))


def test_a_run_logs_all_that_made_the_model(logged: Logged, trained: Path) -> None:
    params, tags = logged.run.data.params, logged.run.data.tags
    hyperparameters = {f"estimator.{name}" for name in TfidfConfig.model_fields}
    assert hyperparameters <= set(params)
    assert (params["estimator.word_ngrams"], params["estimator.C"]) == ("(1, 2)", "10.0")
    facts = logged.report.dataset
    assert (params["dataset"], params["dataset_fingerprint"]) == (facts.name, facts.fingerprint)
    assert int(params["train_rows"]) + int(params["test_rows"]) == 300
    assert (params["test_size"], params["random_state"], params["threshold"]) == ("0.2", "0", "0.5")
    assert (params["threshold_goal"], params["rules"]) == ("fixed", "0")
    assert params["calibration"] in ("sigmoid", "isotonic")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=trained, capture_output=True, text=True, check=True
    )
    assert tags["git_commit"] == tags["mlflow.source.git.commit"] == head.stdout.strip()
    for library in ("assay", "numpy", "scikit-learn", "scipy", "mlflow"):
        assert tags[library][0].isdigit()
    [used] = logged.run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == (facts.name, facts.fingerprint[:36])


def test_a_run_logs_metrics_over_all_and_by_class(logged: Logged) -> None:
    metrics = logged.run.data.metrics
    names = {f"{name}{bound}" for name in METRICS for bound in ("", "_low", "_high")}
    names |= {
        f"{label}/{name}" for label in ("ham", "spam") for name in ("precision", "recall", "f1", "support")
    }
    assert names <= set(metrics)
    assert metrics["training_seconds"] > 0
    assert metrics["f1"] == logged.report.metrics["f1"].value
    assert metrics["ham/support"] + metrics["spam/support"] == metrics["rows"] == logged.report.rows


def test_a_run_keeps_the_artifact_the_report_and_the_log(logged: Logged) -> None:
    folder, found = logged.folder, logged.report
    plots = [f"report/plots/{name}.png" for name in PLOTS]
    model = "MLmodel golden.jsonl manifest.json model.json model.safetensors operating_point.json report.json"
    model += " task.toml out_of_fold.safetensors thresholds.json profile.json"
    report = "confusion_matrix.json metrics.json model_card.md report.html report.json".split()
    expected = [f"model/{name}" for name in model.split()] + [f"report/{name}" for name in report] + plots
    kept = [name for name in files_under(folder) if not name.startswith("gates/")]
    assert kept == sorted([*expected, "gate.json", "training.log"])
    newest = max((folder / "gates").iterdir())
    assert newest.read_bytes() == (folder / "gate.json").read_bytes()
    for plot in plots:
        assert (folder / plot).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (folder / "report/report.json").read_bytes() == (folder / "model/report.json").read_bytes()
    matrix = json.loads((folder / "report/confusion_matrix.json").read_text())
    assert (matrix["labels"], sum(map(sum, matrix["matrix"]))) == (["ham", "spam"], found.rows)
    assert json.loads((folder / "report/metrics.json").read_text())["f1"] == found.metrics["f1"].value
    assert "Gate passed" in (folder / "report/model_card.md").read_text()
    log = (folder / "training.log").read_text().splitlines()
    assert log[0].startswith("  reading ")
    assert any("fit" in line for line in log)
    assert assay.load(folder / "model").digest == found.digest

"""Fixtures that every stage shares: small corpora, cascades fitted once a session, their artifacts."""

import csv
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import chdir, closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from assay.access import shared_file
from assay.config import Task, parse_task
from assay.datasets import Rows
from assay.estimators import Cascade, load_artifact, save_artifact, train_cascade
from assay.loading import open_registry
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.settings import Settings
from assay.taskfiles import task_to_train
from tests.corpus import ABUSE_GROUPS, SENTIMENT_GROUPS, SPAM_GROUPS, labelled
from tests.databases import own_schema
from tests.moving import Mover
from tests.rulesets import small_rules
from tests.servers import mlflow_server, postgres_missing, postgres_server, redis_missing, redis_server

QUIET = Progress(quiet=True)

# A busy machine may stop any example for a second. Examples are the same each time but in `make fuzz`: what
# is found by chance belongs there, and not into the way of a change that has nothing to do with it.
settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="FUZZ_SEED" not in os.environ,
)
settings.load_profile("tests")

PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Where MLflow's tables name files by their absolute paths."""


LONG = (
    "registry/test_crashes",
    "test_quickstart",
    "registry/test_outages",
    "contracts/test_openapi",
    "test_docs",
    "test_dvc",
    "deploy/test_runbooks",
    "deploy/test_stack",
)
"""Files of tests that take minutes: with several processes they begin first, so that none waits for one."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin, whatever the order of the others."""
    items.sort(key=lambda item: not str(item.path.with_suffix("")).endswith(LONG))


@pytest.fixture(scope="session", autouse=True)
def _heed_interrupts() -> None:
    """Let Ctrl+C reach what the tests start, also where the shell in whose background they run ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _free_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take away what services over home folders of tests counted in the machine's memory: a megabyte each."""
    yield
    for folder, _, _ in os.walk(tmp_path_factory.getbasetemp()):
        with suppress(FileNotFoundError):
            shared_file(Path(folder)).unlink()


@pytest.fixture(autouse=True)
def _forget_mlflow() -> Iterator[None]:
    """Take away what MLflow leaves in the environment: processes that later tests start would inherit it."""
    before = {name: value for name, value in os.environ.items() if "MLFLOW_" in name}
    yield
    for name in [name for name in os.environ if "MLFLOW_" in name and name not in before]:
        del os.environ[name]
    os.environ.update(before)


def make_task(name: str, labels: list[str], **parts: object) -> Task:
    """Return a task whose estimator suits a small corpus."""
    values = {
        "name": name,
        "labels": labels,
        "positive": labels[-1],
        "data": {"source": "made-up"},
        "estimator": {"min_df": 1, "C": 10.0},
        **parts,
    }
    return parse_task(values, source=f"the test task {name!r}")


def fit(task: Task, groups: dict[str, list[str]], count: int = 200) -> Cascade:
    """Return the cascade of a task fitted on a small corpus."""
    texts, labels = labelled(groups, count)
    return train_cascade(task, Rows(texts=texts, labels=labels), progress=QUIET)


def saved(cascade: Cascade, folder: Path) -> Path:
    """Return an artifact folder of a cascade."""
    golden = [
        "free prize, call now",
        "lunch tomorrow?",
        "a wonderful film",
        "dull and boring",
        "naïve café 日本語",
    ]
    save_artifact(cascade, folder, golden=golden, provenance={"git_commit": "0" * 40})
    return folder


@pytest.fixture(scope="session")
def spam_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task spam."""
    task = make_task("spam", ["ham", "spam"], experiment="spam-detection")
    return saved(fit(task, SPAM_GROUPS), tmp_path_factory.mktemp("spam") / "model")


@pytest.fixture(scope="session")
def sentiment_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task sentiment."""
    task = make_task("sentiment", ["negative", "positive"], experiment="sentiment-analysis")
    return saved(fit(task, SENTIMENT_GROUPS), tmp_path_factory.mktemp("sentiment") / "model")


@pytest.fixture(scope="session")
def abuse_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder of the task abuse, which has three labels."""
    task = make_task("abuse", ["neither", "offensive_language", "hate_speech"], experiment="abuse-detection")
    return saved(fit(task, ABUSE_GROUPS), tmp_path_factory.mktemp("abuse") / "model")


@pytest.fixture(scope="session")
def ruled_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder with rules of both kinds, a calibration, a chosen threshold and a review band."""
    folder = tmp_path_factory.mktemp("ruled")
    small_rules(folder)
    task = make_task(
        "spam",
        ["ham", "spam"],
        rules=str(folder / "rules.toml"),
        estimator={"min_df": 1, "char_ngrams": [2, 3]},
        threshold={"goal": "max f1", "review": [0.1, 0.9]},
    )
    sides = (Rows(*labelled(SPAM_GROUPS, count, seed)) for count, seed in ((200, 0), (60, 1)))
    return saved(train_cascade(task, *sides, progress=QUIET), folder / "model")


@pytest.fixture(scope="session")
def ruled_cascade(ruled_artifact: Path) -> Cascade:
    """The loaded cascade that has all there is."""
    return load_artifact(ruled_artifact)


@pytest.fixture(scope="session")
def spam_cascade(spam_artifact: Path) -> Cascade:
    """The loaded cascade of the task spam."""
    return load_artifact(spam_artifact)


@pytest.fixture(scope="session")
def sentiment_cascade(sentiment_artifact: Path) -> Cascade:
    """The loaded cascade of the task sentiment."""
    return load_artifact(sentiment_artifact)


@pytest.fixture(scope="session")
def abuse_cascade(abuse_artifact: Path) -> Cascade:
    """The loaded cascade of the task abuse."""
    return load_artifact(abuse_artifact)


def write_csv(path: Path, groups: dict[str, list[str]], count: int = 150, seed: int = 0) -> Path:
    """Write a small corpus as a CSV with the columns T and L."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("T", "L"), *zip(*labelled(groups, count, seed), strict=True)])
    return path


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow has migrated, to be copied: the migrations take seconds."""
    folder = tmp_path_factory.mktemp("empty")
    with open_registry(Settings(home=folder))._client.session():
        return folder / "mlflow.db"


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a folder hold."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Path]:
    """A checkout with the rows ``mine.csv`` and a home that has a version made from them, not promoted."""
    folder = tmp_path_factory.mktemp("trained")
    rows = write_csv(folder / "mine.csv", SPAM_GROUPS)
    commit = ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "Add rows"]
    for command in (["init", "-q"], ["add", "mine.csv"], commit):
        subprocess.run(["git", *command], cwd=folder, check=True)
    settings = Settings(home=folder / ".assay", tasks=folder / "tasks")
    settings.home.mkdir()
    shutil.copy(empty_database, settings.home / "mlflow.db")
    columns, progress = {"source": str(rows), "text": "T", "label": "L"}, Progress(quiet=True)
    task = task_to_train("mine", settings, columns=columns, positive="spam", min_f1=None, progress=progress)
    with chdir(folder):
        assert run_pipeline(task, settings, progress=progress).gate.passed
    made = contents(settings.home / "artifacts")
    yield folder
    now = contents(settings.home / "artifacts")
    assert [name for name in made | now if made.get(name) != now.get(name)] == [], "a test wrote here"


@pytest.fixture
def workplace(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a user who has ``mine.csv`` and an empty registry under ``.assay``."""
    for name in [name for name in os.environ if name.startswith(("ASSAY_", "MLFLOW_TRACKING"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".assay").mkdir()
    shutil.copy(empty_database, tmp_path / ".assay" / "mlflow.db")
    write_csv(tmp_path / "mine.csv", SPAM_GROUPS)
    return tmp_path


def copy_registry(one: Path, other: Path) -> None:
    """Give a folder the registry of another with files of its own: gating writes beside the artifact."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    home = other / ".assay"
    shutil.copytree(one / ".assay", home, dirs_exist_ok=True)
    with closing(sqlite3.connect(home / "mlflow.db", isolation_level=None)) as database:
        for table, column in PLACES:
            moved = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            database.execute(moved, (str(one / ".assay"), str(home)))
    _artifact_repos_cache.clear()  # MLflow keeps where a run's files are, by the id that both have


@pytest.fixture
def with_version(workplace: Path, trained: Path) -> Path:
    """The current folder of a user who has trained ``mine`` once: version 1, passed, not promoted."""
    copy_registry(trained, workplace)
    return workplace


@pytest.fixture(scope="session")
def http_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running MLflow server."""
    with mlflow_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """The URI of a running PostgreSQL's database."""
    if reason := postgres_missing():
        pytest.skip(reason)
    with postgres_server() as uri:
        yield uri


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running Redis."""
    if reason := redis_missing():
        pytest.skip(reason)
    with redis_server(tmp_path_factory.mktemp("redis")) as (url, _):
        yield url


@pytest.fixture
def people_sqlite(tmp_path: Path) -> str:
    """The URI of a people's database in a file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'people' / 'assay.db'}"


@pytest.fixture
def people_postgres(postgres_uri: str) -> str:
    """The URI of an empty people's database in PostgreSQL."""
    return own_schema(postgres_uri)


@pytest.fixture(params=["people_sqlite", "people_postgres"])
def people_uri(request: pytest.FixtureRequest) -> str:
    """A new people's database of each kind."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def other_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another artifact of the task spam, with other scores."""
    task = make_task("spam", ["ham", "spam"], experiment="spam-detection", estimator={"min_df": 1, "C": 0.1})
    return saved(fit(task, SPAM_GROUPS), tmp_path_factory.mktemp("other") / "model")


@pytest.fixture(scope="session")
def stocked(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    spam_artifact: Path,
    other_artifact: Path,
    sentiment_artifact: Path,
) -> Path:
    """A home that has spam in two versions, the first in production, and sentiment in production."""
    home = tmp_path_factory.mktemp("stocked")
    shutil.copy(empty_database, home / "mlflow.db")
    mover = Mover(Settings(home=home))
    for artifact in (spam_artifact, other_artifact, sentiment_artifact):
        mover.register(artifact)
    mover.promote("1")
    mover.promote("1", "SentimentClassifier")
    return home


@pytest.fixture
def mover(stocked: Path, tmp_path: Path) -> Mover:
    """A registry of one's own on the stocked artifacts."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(stocked / "mlflow.db", home / "mlflow.db")
    shutil.copy(stocked / "assay.db", home / "assay.db")
    return Mover(Settings(home=home, poll_seconds=0.02))

"""The drill: everything is destroyed, a backup comes back elsewhere, and it answers as before, to the bit."""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from assay.registry import move_sources
from assay.settings import Settings
from tests.moving import TEXTS, Mover
from tests.running import run, serving

PATIENCE_SECONDS = 900
"""Several commands run while a service does: on a busy machine that has taken minutes."""
UNLIKE = ("id",)
"""What differs between two answers about one text."""


class Site:
    """A machine: a home, and where its databases are."""

    def __init__(self, home: Path, **databases: str) -> None:
        self.settings = Settings(home=home, **databases)
        self.environment = {"ASSAY_HOME": str(home)}
        self.environment |= {f"ASSAY_{name.upper()}": uri for name, uri in databases.items()}

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the commands that follow run on this machine."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)


def done(*arguments: str) -> list[str]:
    """Run a command that has to succeed and return its lines."""
    result = run(*arguments)
    assert result.returncode == 0, result.stderr + result.stdout
    return str(result.stdout).splitlines()


def answers(address: str, headers: dict[str, str], task: str = "spam") -> list[dict[str, Any]]:
    """Return what a service decides about the texts."""
    asked = httpx.post(f"{address}/v1/tasks/{task}/predict", json={"texts": TEXTS}, headers=headers)
    assert asked.status_code == 200, asked.text
    return [dict(each) for each in asked.json()["predictions"]]


def alike(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return decisions without what differs each time."""
    return [{key: value for key, value in each.items() if key not in UNLIKE} for each in decisions]


@contextmanager
def asked_on(address: str, headers: dict[str, str]) -> Iterator[list[int]]:
    """Ask a service without a pause while the block runs; the list has the status of each answer."""
    statuses: list[int] = []
    over, begun = threading.Event(), threading.Event()

    def ask() -> None:
        with httpx.Client(headers=headers) as client:
            while not over.is_set():
                statuses.append(client.post(f"{address}/predict", json={"text": TEXTS[0]}).status_code)
                begun.set()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        assert begun.wait(60)
        yield statuses
    finally:
        over.set()
        thread.join()


def logged(folder: Path, decision: str) -> None:
    """Wait until a decision is in the log."""
    waiting = threading.Event()
    while not any(decision in path.read_text() for path in folder.glob("*.jsonl")):
        waiting.wait(0.02)


@pytest.fixture
def sqlite_sites(stocked: Path, tmp_path: Path) -> tuple[Site, Site]:
    """Two machines with their databases in files, the first in use."""
    shutil.copytree(stocked, tmp_path / "old")
    old = Site(tmp_path / "old")
    move_sources(old.settings.store, {str(stocked): str(tmp_path / "old")})
    return old, Site(tmp_path / "new" / "home")


@pytest.fixture
def postgres_sites(postgres_uri: str, tmp_path: Path, spam_artifact: Path, other_artifact: Path) -> Any:
    """Two machines with their databases in PostgreSQL, the first in use."""
    base = postgres_uri.rpartition("/")[0]
    names = ("old_registry", "old_people", "new_registry", "new_people")
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        for name in names:
            server.execute(f"CREATE DATABASE {name}")
    uris = [f"{base}/{name}" for name in names]
    old = Site(tmp_path / "old", tracking_uri=uris[0], database=uris[1])
    mover = Mover(old.settings)
    for artifact in (spam_artifact, other_artifact):
        mover.register(artifact)
    mover.promote("1")
    yield old, Site(tmp_path / "new" / "home", tracking_uri=uris[2], database=uris[3])
    destroy(postgres_uri, names)


def destroy(uri: str, names: tuple[str, ...]) -> None:
    """Drop databases, whoever is connected to them."""
    with psycopg.connect(uri, autocommit=True) as server:
        for name in names:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.parametrize("kind", ["sqlite_sites", "postgres_sites"])
def test_all_is_destroyed_and_the_backup_answers_the_same(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = request.getfixturevalue(kind)
    monkeypatch.chdir(tmp_path)
    old.enter(monkeypatch)
    Mover(old.settings).promote("2")
    secret = done("keys", "create", "--name", "shop", "--scope", "predict,feedback")[-1].split()[-1]
    headers, to = {"Authorization": f"Bearer {secret}"}, str(tmp_path / "backups")
    with serving("--require-keys", patience=PATIENCE_SECONDS) as (address, _):
        before = answers(address, headers)
        said = {"id": before[0]["id"], "label": "ham"}
        assert httpx.post(f"{address}/feedback", json=said, headers=headers).status_code == 202
        logged(old.settings.decisions, before[-1]["id"])
        with asked_on(address, headers) as statuses:
            made = done("backup", "--to", to, "--keep", "2", "--verify", "--with-key")
        assert {*statuses} == {200}
    history, stored = done("history", "spam"), done("audit", "verify")
    proven = {"sqlite_sites": "audit log whole", "postgres_sites": "the dump of postgresql://"}[kind]
    assert [line for line in made if line.startswith(f"verified: {proven}")]
    assert "verified: SpamClassifier version 2 decides as it did" in made

    shutil.rmtree(old.settings.home)
    if kind == "postgres_sites":
        destroy(request.getfixturevalue("postgres_uri"), ("old_registry", "old_people"))
    new.enter(monkeypatch)
    restored = done("restore", to)
    assert "in place: SpamClassifier version 2 decides as it did" in restored
    assert (done("history", "spam"), done("audit", "verify")) == (history, stored)
    with serving("--require-keys", patience=PATIENCE_SECONDS) as (address, _):
        assert alike(answers(address, headers)) == alike(before)
        assert httpx.post(f"{address}/predict", json={"text": "x"}).status_code == 401
    assert re.search(r"shop.*ham", "\n".join(done("why", before[0]["id"])))
    assert done("rollback", "spam") == ["SpamClassifier version 1 is production again."]
    with serving("--require-keys", patience=PATIENCE_SECONDS) as (address, _):
        again = answers(address, headers)
    assert {each["version"] for each in again} == {"1"}
    assert alike(again) != alike(before)

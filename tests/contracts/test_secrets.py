"""No secret and no text is in what leaves the service, with everything broken around it."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import ASSAY, STOP_SECONDS, run
from tests.servers import free_port

DATABASE, REDIS, MLFLOW, KEY, TEXT = (
    "db-hunter2",
    "redis-hunter2",
    "ml-hunter2",
    "key-hunter2",
    "text-hunter2",
)
SECRETS = (DATABASE, REDIS, MLFLOW, KEY)
BODIES: list[tuple[str, bytes, str]] = [
    ("/predict", json.dumps({"text": TEXT}).encode(), "application/json"),
    ("/predict", json.dumps({"texts": [TEXT] * 3}).encode(), "application/json"),
    ("/v1/tasks/none/predict", json.dumps({"text": TEXT}).encode(), "application/json"),
    ("/predict", f'{{"text": "{TEXT}'.encode(), "application/json"),
    ("/predict", TEXT.encode(), "text/plain"),
    ("/nowhere", b"", "application/json"),
    ("/v1/admin/refresh", b"", "application/json"),
    ("/feedback", json.dumps({"id": "1", "label": "spam"}).encode(), "application/json"),
    ("/batch", TEXT.encode(), "multipart/form-data; boundary=x"),
]
CALLS = ("/", "/health", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/nowhere")


def settings_of(folder: Path) -> dict[str, str]:
    """Return an environment in which database, Redis and registry have passwords and do not answer."""
    secret = folder / "redis"
    secret.write_text(f"redis://:{REDIS}@127.0.0.1:{free_port()}/0\n")
    secret.chmod(0o600)
    file = folder / "settings.toml"
    file.write_text(f'database = "postgresql://ann:{DATABASE}@127.0.0.1:{free_port()}/people"\n')
    file.chmod(0o600)
    return {
        "PATH": "/usr/bin:/bin",
        "ASSAY_HOME": str(folder / "home"),
        "ASSAY_SETTINGS": str(file),
        "ASSAY_REDIS_FILE": str(secret),
        "ASSAY_TRACKING_URI": f"http://ann:{MLFLOW}@127.0.0.1:{free_port()}",
        "ASSAY_RATE_PER_ADDRESS": "1000/s",
        "ASSAY_REQUEST_LOG": str(folder / "requests.jsonl"),
    }


def answered(address: str) -> Iterator[str]:
    """Ask everything, well and badly, with a key that is not known; yield heads and bodies of all answers."""
    headers = {"Authorization": f"Bearer {KEY}", "X-API-Key": KEY}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        answers = [client.get(path, params={"key": KEY}) for path in CALLS]
        for path, body, kind in BODIES:
            answers.append(client.post(path, content=body, headers={"Content-Type": kind}))
        yield from (f"{answer.request.url.path} {answer.headers} {answer.text}" for answer in answers)


@pytest.fixture
def told(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """All that one service told, by where it told it."""
    environment = settings_of(tmp_path) | getattr(request, "param", {})
    if environment.pop("SERVE_FOLDER", ""):
        environment["ASSAY_MODELS"] = str(request.getfixturevalue("spam_artifact"))
    messages = tmp_path / "stderr"
    with messages.open("wb") as stderr:
        process = subprocess.Popen(
            [*ASSAY, "serve", "--port", "0"], env=environment, stdout=stderr, stderr=stderr
        )
    try:
        end = time.monotonic() + 60
        while "startup complete" not in messages.read_text():
            assert process.poll() is None, messages.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        found = re.search(r"then (http://\S+) answers", messages.read_text())
        assert found is not None
        answers = "\n".join(answered(found[1]))
        # What rotates logs sends it; a service that keeps a log goes on.
        process.send_signal(signal.SIGHUP)
        assert httpx.get(f"{found[1]}/health/live").status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()
    return {
        "answers": answers,
        "messages": messages.read_text(),
        "request log": (tmp_path / "requests.jsonl").read_text(),
        "doctor": "".join(run("doctor", env=environment, cwd=tmp_path).stdout),
    }


@pytest.mark.parametrize("told", [{}, {"SERVE_FOLDER": "1"}], indirect=True, ids=["no model", "a model"])
def test_no_secret_and_no_text_leaves_the_service(told: dict[str, str]) -> None:
    assert "/v1/tasks/none/predict" in told["request log"]
    assert "127.0.0.1" in told["doctor"]
    assert [where for where, text in told.items() for secret in SECRETS if secret in text] == []
    # An error may show the client its own field; what is kept or watched by others may not.
    assert [where for where, text in told.items() if where != "answers" and TEXT in text] == []
    assert "Traceback" not in told["messages"]


@pytest.mark.parametrize(
    "told", [{"SERVE_FOLDER": "1", "ASSAY_LOG_TEXTS": "true"}], indirect=True, ids=["texts asked for"]
)
def test_texts_are_in_the_request_log_alone_and_only_when_asked(told: dict[str, str]) -> None:
    lines = [json.loads(line) for line in told["request log"].splitlines()]
    kept = [line["http.request.body.content"] for line in lines if "http.request.body.content" in line]
    assert kept == [[TEXT], [TEXT] * 3]
    assert {line["assay.task"] for line in lines if "assay.task" in line} >= {"spam"}
    assert TEXT not in told["messages"]
    assert TEXT not in told["doctor"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASSAY_REDIS", REDIS),
        ("ASSAY_DATABASE", f"mysql://ann:{DATABASE}@host/db"),
        ("ASSAY_DATABASE", f"ann:{DATABASE}@host"),
        ("ASSAY_DATABASE", f"postgresql://ann:{DATABASE}@{DATABASE}@host/db"),
        ("ASSAY_TRACKING_URI", f"ftp://ann:{MLFLOW}@host"),
        ("ASSAY_TRACKING_URI", f"ann:{MLFLOW}@host"),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_shown(tmp_path: Path, name: str, value: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ASSAY_HOME": str(tmp_path / "home"), name: value}
    done = run("doctor", env=environment, cwd=tmp_path)
    assert done.returncode == 1
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []

"""No secret and no text is in what leaves the service, with everything broken around it."""

import gzip
import json
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

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
CACHE, DECISION, TOKEN = "cache-hunter2", "://decision-hunter2", "token-hunter2"
CREATE = ("keys", "create", "--name", "shop", "--scope", "predict,batch,feedback,admin")
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


def answered(address: str, key: str = KEY, trusted: ssl.SSLContext | None = None) -> Iterator[str]:
    """Ask everything, well and badly, with a key; yield heads and bodies of all answers."""
    headers = {"Authorization": f"Bearer {key}", "X-API-Key": key}
    with httpx.Client(base_url=address, headers=headers, timeout=60, verify=trusted or True) as client:
        answers = [client.get(path, params={"key": key}) for path in CALLS]
        for path, body, kind in BODIES:
            answers.append(client.post(path, content=body, headers={"Content-Type": kind}))
        answers.append(client.get("/", headers={"Accept": "text/html"}))
        yield from (f"{answer.request.url.path} {answer.headers} {answer.text}" for answer in answers)


@contextmanager
def service(environment: dict[str, str], messages: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a service whose output goes to a file; give its address, once it answers, and its process."""
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
        found = re.search(r"then (https?://\S+) answers", messages.read_text())
        assert found is not None
        yield found[1], process
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def told(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """All that one service told, by where it told it."""
    environment = settings_of(tmp_path) | getattr(request, "param", {})
    if environment.pop("SERVE_FOLDER", ""):
        environment["ASSAY_MODELS"] = str(request.getfixturevalue("spam_artifact"))
    messages = tmp_path / "stderr"
    with service(environment, messages) as (address, process):
        answers = "\n".join(answered(address))
        # What rotates logs sends it; a service that keeps a log goes on.
        process.send_signal(signal.SIGHUP)
        assert httpx.get(f"{address}/health/live").status_code == 200
    return {
        "answers": answers,
        "messages": messages.read_text(),
        "request log": (tmp_path / "requests.jsonl").read_text(),
        "doctor": "".join(run("doctor", env=environment, cwd=tmp_path).stdout),
    }


def content(path: Path) -> str:
    """Return what a file holds, uncompressed, a character a byte."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("latin-1")


def guarded_by(folder: Path, ca: trustme.CA) -> dict[str, str]:
    """Return an environment with HTTPS, keys, a database that works, and every other secret planted."""
    issued = ca.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    cache = f"rediss://:{CACHE}@127.0.0.1:{free_port()}/0"
    return settings_of(folder) | {
        **{"ASSAY_TLS_CERTIFICATE": str(chain), "ASSAY_TLS_KEY": str(key), "ASSAY_REQUIRE_KEYS": "true"},
        **{"ASSAY_DATABASE": f"sqlite:///{folder}/people.db", "ASSAY_ENCODER_CACHE_REDIS": cache},
        **{"ASSAY_DECISION_KEY": DECISION, "MLFLOW_TRACKING_TOKEN": TOKEN},
    }


def test_no_secret_is_in_anything_that_a_guarded_service_tells_or_keeps(
    tmp_path: Path, spam_artifact: Path
) -> None:
    ca = trustme.CA()
    environment = guarded_by(tmp_path, ca) | {"ASSAY_MODELS": str(spam_artifact)}
    trusted = ssl.create_default_context()
    ca.configure_trust(trusted)
    made = run(*CREATE, env=environment, cwd=tmp_path)
    key = made.stdout.splitlines()[-1]
    private = (tmp_path / "key.pem").read_text().splitlines()[1]
    planted = (*SECRETS, CACHE, DECISION, TOKEN, key, key.rpartition("_")[2], private)

    told = {"keys create": made.stderr}
    with service(environment, tmp_path / "stderr") as (address, _):
        told["answers"] = "\n".join((*answered(address, key, trusted), *answered(address, KEY, trusted)))
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    kept += [tmp_path / name for name in ("stderr", "requests.jsonl", "people.db")]
    told |= {str(path): content(path) for path in kept}
    for command in ("doctor", "keys list", "audit show", "log query spam", "log stats"):
        done = run(*command.split(), env=environment, cwd=tmp_path)
        told[command] = done.stdout + done.stderr
    assert '"decided_by"' in told["answers"]
    assert "unauthorized" in told["answers"]
    assert "shop" in told["keys list"]
    logs = [text for where, text in told.items() if where.startswith(str(tmp_path / "home" / "logs"))]
    assert any('"route":' in text for text in logs)
    found = {(where, secret) for where, text in told.items() for secret in planted if secret in text}
    assert found == set()


@pytest.mark.parametrize(
    "command", ["versions spam", "promote spam 1", "keys list", "audit show", "feedback stats spam"]
)
def test_a_command_that_fails_tells_no_secret(tmp_path: Path, command: str) -> None:
    done = run(*command.split(), env=settings_of(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "***" in done.stderr
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []


@pytest.mark.parametrize("name", ["ASSAY_REDIS", "ASSAY_ENCODER_CACHE_REDIS"])
def test_a_traceback_of_another_server_tells_no_secret(tmp_path: Path, name: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ASSAY_HOME": str(tmp_path / "home"), "ASSAY_INSECURE": "true"}
    environment[name] = f"redis://:{REDIS}/x@127.0.0.1:1"
    command = [sys.executable, "-m", "uvicorn", "assay.asgi:create_app", "--factory", "--port", "0"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "Traceback" in done.stderr
    assert f"{name} is 'redis://***@127.0.0.1:1', which is no address of a Redis" in done.stderr
    assert REDIS not in done.stdout + done.stderr


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
        ("ASSAY_TRACKING_URI", MLFLOW),
        ("ASSAY_TRACKING_URI", f"http://ann:{MLFLOW}/x@127.0.0.1"),
        ("ASSAY_TRACKING_URI", f"postgresql://ann:{MLFLOW}%zz@127.0.0.1/db"),
        ("ASSAY_DATABASE", DATABASE),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_shown(tmp_path: Path, name: str, value: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ASSAY_HOME": str(tmp_path / "home"), name: value}
    done = run("doctor", env=environment, cwd=tmp_path)
    assert done.returncode == 1
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr] == []

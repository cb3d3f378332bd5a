"""``assay health`` asks the service that the settings describe, over HTTP and HTTPS."""

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from assay.cli import main
from tests.running import read_until, serving, started, unmeasured
from tests.servers import free_port

REFUSED = r"http://127\.0\.0\.1:{port}/health/ready: no answer \(.*refused\)\n"


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep every command away from the repository's own tasks and home."""


def test_a_service_that_is_ready_is_healthy_over_https_whatever_its_certificate_names(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    issued = trustme.CA().issue_cert("assay.example.org")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    monkeypatch.setenv("ASSAY_TLS_CERTIFICATE", str(tmp_path / "chain.pem"))
    monkeypatch.setenv("ASSAY_TLS_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("ASSAY_HOST", "0.0.0.0")
    monkeypatch.setenv("ASSAY_INSECURE", "true")
    with started("serve", "--port", "0", "--models", str(spam_artifact)) as process:
        port = urlsplit(read_until(process, r"then (https://\S+) answers")[1]).port
        read_until(process, r"startup complete")
        monkeypatch.setenv("ASSAY_PORT", str(port))
        assert main(["health"]) == 0
    assert capsys.readouterr().out == f"https://127.0.0.1:{port}/health/ready: ready\n"


def test_a_service_that_is_not_ready_is_not_healthy_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with serving("--host", "::1") as (address, _):
        port = urlsplit(address).port
        assert main(["health", "--host", "::1", "--port", str(port)]) == 1
    out = capsys.readouterr().out
    said = rf"http://\[::1\]:{port}/health/ready: 503 No model is loaded\. The registry has no production.*\n"
    assert re.fullmatch(said, out)


def test_nobody_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["health", "--port", str(port)]) == 1
    assert re.fullmatch(REFUSED.format(port=port), capsys.readouterr().out)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", r"no answer (Remote end closed connection without response)"),
        (b"SSH-2.0-other\r\n", r"no answer (SSH-2.0-other)"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n<html>", r"404 '<html>'"),
        (b"HTTP/1.1 500 No\r\n\r\n[1]", r"500 '[1]'"),
        (b'HTTP/1.1 500 No\r\n\r\n{"error": {}}', "500 '{\"error\": {}}'"),
    ],
)
def test_another_program_on_the_port_is_not_healthy(
    answer: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        stranger = threading.Thread(target=_answer_once, args=(server, answer))
        stranger.start()
        assert main(["health", "--port", str(port)]) == 1
        stranger.join()
    assert capsys.readouterr().out == f"http://127.0.0.1:{port}/health/ready: {said}\n"


def _answer_once(server: socket.socket, answer: bytes) -> None:
    """Read one request to its end and answer it with these bytes."""
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as request:
        while request.readline() not in (b"\r\n", b""):
            pass
        connection.sendall(answer)


def test_a_port_that_nobody_can_know_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--port", "0"]) == 1
    assert capsys.readouterr().err == (
        "error: ASSAY_PORT is 0, which takes any free port. Say which one it took: --port\n"
    )


def test_it_loads_no_more_than_the_settings_and_a_connection_need() -> None:
    program = (
        "import sys\nfrom assay.cli import main\n"
        "main(['health', '--port', sys.argv[1]])\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    # What measures coverage loads more.
    command = [sys.executable, "-c", program, str(free_port())]
    done = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "fastapi", "starlette", "uvicorn", "httpx", "asyncio", "sqlite3", "mlflow"}

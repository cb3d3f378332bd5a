import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.exceptions import RegistryError, RegistryUnavailable
from assay.registry import find_production, find_version, rest
from assay.registry.store import parse_store
from tests.registry.conftest import registry_at
from tests.servers import free_port


class Scripted(BaseHTTPRequestHandler):
    """Answers every request as its server is told, and keeps what it was asked."""

    def do_GET(self) -> None:
        server: ScriptedServer = self.server  # type: ignore[assignment]
        server.authorization = self.headers.get("Authorization", "")
        status, kind, body = server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(301)
        self.send_header("Location", f"https://elsewhere.example{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class ScriptedServer(ThreadingHTTPServer):
    answer: tuple[int, str, bytes] = (200, "application/json", b"{}")
    authorization = ""

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_dead_server_is_unavailable_and_shows_no_password(tmp_path: Path) -> None:
    uri = f"http://ann:hunter2@127.0.0.1:{free_port()}"
    for call in (
        lambda: find_production(uri),
        lambda: find_version(uri, "SpamClassifier", "1"),
        lambda: registry_at(uri, tmp_path).versions("SpamClassifier"),
    ):
        with pytest.raises(RegistryUnavailable, match=r"cannot be reached.*ASSAY_TRACKING_URI") as raised:
            call()
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "error", "match"),
    [
        ((200, "text/html", b"<html>a page</html>"), RegistryError, "not as an MLflow server"),
        ((200, "application/json", b"not json"), RegistryError, "not as an MLflow server"),
        ((404, "text/plain", b"gone"), RegistryError, "not as an MLflow server"),
        ((401, "text/plain", b"who"), RegistryError, "MLFLOW_TRACKING_TOKEN"),
        ((403, "text/plain", b"Invalid Host header"), RegistryError, "--allowed-hosts"),
        ((503, "text/plain", b"busy"), RegistryUnavailable, "failed .503"),
        ((400, "application/json", b'{"error_code": "BAD", "message": "no"}'), RegistryError, "BAD: no"),
    ],
)
def test_odd_answers_say_what_to_do(
    server: ScriptedServer, answer: tuple[int, str, bytes], error: type[Exception], match: str
) -> None:
    server.answer = answer
    with pytest.raises(error, match=match):
        find_production(server.uri)


@pytest.mark.parametrize(
    ("environment", "authorization"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "abc"}, "Bearer abc"),
        ({"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "pass"}, "Basic YW5uOnBhc3M="),
        ({}, ""),
    ],
)
def test_credentials_come_from_mlflows_variables(
    server: ScriptedServer,
    environment: dict[str, str],
    authorization: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    find_production(server.uri)
    assert server.authorization == authorization


def test_credentials_of_the_address_are_sent(server: ScriptedServer) -> None:
    find_production(server.uri.replace("http://", "http://ann:pass@"))
    assert server.authorization == "Basic YW5uOnBhc3M="


def test_change_that_is_redirected_is_refused_and_not_turned_into_a_question(server: ScriptedServer) -> None:
    with (
        rest.connect(parse_store(server.uri)) as connection,
        pytest.raises(
            RegistryError, match=r"sends changes on to 'https://elsewhere.example/api/.*ASSAY_TRACKING_URI"
        ),
    ):
        connection.send("POST", "registered-models/alias", name="M", alias="production", version="1")

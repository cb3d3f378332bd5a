"""The service goes on whatever its registry says or does not say, and remembers what answered."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.moving import Mover, damage, scores_of
from tests.serving.follower import Service, eventually


class Nonsense(ThreadingHTTPServer):
    """A registry that answers every question with the same bytes."""

    def __init__(self, body: bytes, kind: str, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Babbling)
        self.body, self.kind, self.status = body, kind, status


class Babbling(BaseHTTPRequestHandler):
    """One connection of it."""

    server: Nonsense

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


BABBLE = {
    "no JSON": (b"{", "application/json", 200),
    "a page": (b"<html>", "text/html", 200),
    "another shape": (b'{"registered_models": [{}, 7]}', "application/json", 200),
    "a list": (b"[1]", "application/json", 200),
    "bytes": (b"\xff\xfe\x00", "application/octet-stream", 200),
    "a fault": (b"broken", "text/plain", 500),
    "a version without tags": (
        b'{"registered_models": [{"name": "x", "aliases": [{"alias": "production", "version": "1"}]}]}',
        "application/json",
        200,
    ),
}


@pytest.mark.parametrize(("body", "kind", "status"), BABBLE.values(), ids=BABBLE.keys())
def test_a_registry_that_talks_nonsense_changes_nothing(
    body: bytes, kind: str, status: int, mover: Mover, spam_artifact: Path
) -> None:
    service = Service(mover.settings)
    with Nonsense(body, kind, status) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        service.following._settings = mover.settings.model_copy(update={"tracking_uri": uri})
        reason = service.refresh()
        server.shutdown()
    assert reason is not None
    assert service.following.state()["reason"] == reason
    assert (service.version(), service.reason()) == ("1", "")
    assert service.scores() == scores_of(spam_artifact)
    assert 'assay_degraded{part="registry"} 1.0' in service.metrics.render().decode()
    service.following._settings = mover.settings
    assert service.refresh() is None
    assert service.following.state()["reason"] is None


def test_a_registry_that_is_killed_is_followed_again_when_it_is_back(
    tmp_path: Path, spam_artifact: Path, other_artifact: Path, mover: Mover
) -> None:
    service = Service(mover.settings)
    database = mover.settings.home / "mlflow.db"
    kept = database.read_bytes()
    with service.polling():
        for wreck in (b"", b"not a database" * 100, kept[: len(kept) // 2]):
            database.write_bytes(wreck)
            assert eventually(lambda: service.following.state()["reason"] is not None)
            assert (service.version(), service.reason()) == ("1", "")
            database.write_bytes(kept)
            assert eventually(lambda: service.following.state()["reason"] is None)
        mover.put_alias("2")
        assert eventually(lambda: service.version() == "2")


def test_without_its_registry_what_answered_last_is_served_again(mover: Mover, other_artifact: Path) -> None:
    service = Service(mover.settings)
    mover.promote("2")
    service.refresh()
    (mover.settings.home / "mlflow.db").unlink()
    again = Service(mover.settings)
    assert again.scores() == scores_of(other_artifact)
    assert "There is no registry" in str(again.following.state()["reason"])


def test_a_start_with_a_damaged_version_serves_the_one_that_answered_last(
    mover: Mover, spam_artifact: Path
) -> None:
    Service(mover.settings)
    weights = mover.weights("2")
    intact = damage(weights)
    try:
        mover.put_alias("2")
        service = Service(mover.settings)
    finally:
        weights.write_bytes(intact)
    assert service.scores() == scores_of(spam_artifact)
    assert "model.safetensors is damaged" in service.reason()
    service.refresh()
    assert (service.version(), service.reason()) == ("2", "")


def test_what_is_remembered_is_read_only_where_it_is_whole(mover: Mover) -> None:
    Service(mover.settings)
    [path] = mover.settings.cache.glob("serving-*.json")
    assert {entry["task"] for entry in json.loads(path.read_text())} == {"spam", "sentiment"}
    (mover.settings.home / "mlflow.db").unlink()
    for garbage in (b"", b"{", b"[1]", b'[{"task": "spam"}]', b"\xff", b'{"a": 1}', b"[" * 100_000):
        path.write_bytes(garbage)
        assert Service(mover.settings).models.served == {}

"""POST /feedback: 202 means kept; anything else says why it was not."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.access import Access, Caller, decide_policy
from assay.database import Database
from assay.exceptions import DatabaseError
from assay.service import Limits, Missing, Models, create_app
from assay.service.limits import FEEDBACK_THREADS, FEEDBACK_WAITING, MAX_LABEL_CHARACTERS
from assay.telemetry import Counters, Feedback
from tests.service.callers import Book

ID = "1b4f0c4cf0e84d6c8a5b0c9d2f3e7a61"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A people's database."""
    return Database(f"sqlite:///{tmp_path / 'assay.db'}")


@pytest.fixture
def client(models: Models, database: Database) -> TestClient:
    """A client of a service that keeps feedback."""
    return TestClient(create_app(models, metrics=Counters(), feedback=Feedback(database)))


def kept(database: Database) -> list[tuple[str, ...]]:
    """Return decision, label and task of all that is kept."""
    with database.reading() as connection:
        return connection.execute("SELECT decision, label, task FROM feedback ORDER BY label").fetchall()


def test_feedback_is_kept_when_it_is_answered(client: TestClient, database: Database) -> None:
    decision = client.post("/predict", json={"text": "a wonderful film"}).json()
    for _ in range(2):
        answer = client.post("/feedback", json={"id": decision["id"], "label": "negative"})
        assert (answer.status_code, answer.json()) == (202, {"id": decision["id"], "label": "negative"})
    assert kept(database) == [(decision["id"], "negative", "")]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/feedback", {"task": "spam"}),
        ("/v1/tasks/spam/feedback", {}),
        ("/v1/tasks/spam/feedback", {"task": "spam"}),
    ],
)
def test_a_task_may_be_named(client: TestClient, database: Database, path: str, more: dict[str, Any]) -> None:
    assert client.post(path, json={"id": ID, "label": "ham", **more}).status_code == 202
    assert kept(database) == [(ID, "ham", "spam")]
    wrong = client.post(path, json={"id": ID, "label": "positive", **more})
    assert wrong.status_code == 422
    assert "['ham', 'spam']" in wrong.json()["error"]["message"]
    assert len(kept(database)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "x"}, "id"),
        ({"id": ID.upper()}, "id"),
        ({"id": ID + "\n"}, "id"),
        ({"id": 7}, "id"),
        ({"label": ""}, "label"),
        ({"label": "x" * (MAX_LABEL_CHARACTERS + 1)}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"label": "spam\n"}, "label"),
        ({"label": "a\0b"}, "label"),
        ({"label": None}, "label"),
        ({"task": "x" * 100}, "task"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_wrong_feedback_is_422_and_named(
    client: TestClient, database: Database, change: dict[str, Any], field: str
) -> None:
    answer = client.post("/feedback", json={"id": ID, "label": "ham", **change})
    assert answer.status_code == 422
    assert answer.json()["error"]["detail"][0]["field"] == field
    assert kept(database) == []


def test_a_task_that_is_not_there_is_404(client: TestClient) -> None:
    for path, more in (("/feedback", {"task": "none"}), ("/v1/tasks/none/feedback", {})):
        answer = client.post(path, json={"id": ID, "label": "ham", **more})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_task")


def test_path_and_body_may_not_name_two_tasks(client: TestClient) -> None:
    answer = client.post("/v1/tasks/spam/feedback", json={"id": ID, "label": "ham", "task": "abuse"})
    assert (answer.status_code, answer.json()["error"]["detail"][0]["field"]) == (422, "task")


def test_feedback_on_a_task_whose_model_is_missing_is_kept(models: Models, database: Database) -> None:
    models.refuse("toxic", Missing(reason="damaged"))
    client = TestClient(create_app(models, metrics=Counters(), feedback=Feedback(database)))
    assert client.post("/v1/tasks/toxic/feedback", json={"id": ID, "label": "any"}).status_code == 202
    assert kept(database) == [(ID, "any", "toxic")]


def test_a_database_that_is_down_is_503_and_nothing_is_lost_silently(
    models: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"no database at all, and long enough for a header" * 100)
    client = TestClient(
        create_app(models, metrics=Counters(), feedback=Feedback(Database(f"sqlite:///{path}")))
    )
    answer = client.post("/feedback", json={"id": ID, "label": "ham"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "feedback_not_kept")
    assert int(answer.headers["retry-after"]) > 0
    assert str(tmp_path) not in answer.text
    assert str(tmp_path) in caplog.text
    assert answer.headers["x-request-id"] in caplog.text
    path.unlink()
    assert client.post("/feedback", json={"id": ID, "label": "ham"}).status_code == 202


def test_a_service_without_a_database_says_so(models: Models) -> None:
    answer = TestClient(create_app(models, metrics=Counters())).post(
        "/feedback", json={"id": ID, "label": "ham"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "feedback_not_kept")


class Slow:
    """A store that keeps nothing until it is let go, then fails."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def keep(self, decision: str, label: str, *, key: str, task: str, reviewer: bool) -> None:
        """Wait."""
        assert self.go.wait(20)
        raise DatabaseError("too late")


def test_a_slow_database_holds_up_neither_decisions_nor_more_than_its_share(
    models: Models, serve: Callable[[FastAPI], AbstractContextManager[str]]
) -> None:
    slow, statuses = Slow(), []
    patient = Limits(max_in_flight=100, max_delay_ms=60_000)
    app = create_app(models, metrics=Counters(), limits=patient, feedback=slow)

    def send(address: str) -> None:
        answer = httpx.post(f"{address}/feedback", json={"id": ID, "label": "ham"}, timeout=30)
        statuses.append(answer.status_code)

    count = FEEDBACK_THREADS + FEEDBACK_WAITING + 3
    with serve(app) as address:
        threads = [threading.Thread(target=send, args=(address,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for _ in range(500):
            assert httpx.post(f"{address}/predict", json={"text": "fine"}).status_code == 200
            if len(statuses) >= 3:
                break
        assert statuses == [503, 503, 503]
        slow.go.set()
        for thread in threads:
            thread.join()
    assert statuses == [503] * count


@pytest.mark.parametrize(
    ("scopes", "reviewer"),
    [("feedback", 1), ("feedback admin", 1), ("feedback predict", 0), ("feedback batch", 0)],
)
def test_a_key_that_asks_for_decisions_is_no_reviewer(
    models: Models, database: Database, scopes: str, reviewer: int
) -> None:
    caller = Caller(id="key:1", name="app", scopes=frozenset(scopes.split()))
    policy = decide_policy("0.0.0.0", require_keys=True, insecure=False)
    access = Access(policy=policy, authenticator=Book({"secret": caller}))
    service = create_app(models, metrics=Counters(), feedback=Feedback(database), access=access)
    answer = TestClient(service).post(
        "/feedback", json={"id": ID, "label": "ham"}, headers={"X-API-Key": "secret"}
    )
    assert answer.status_code == 202
    with database.reading() as connection:
        found = connection.execute('SELECT "key", reviewer FROM feedback').fetchall()
    assert found == [("app", reviewer)]


def test_without_keys_everybody_is_a_reviewer(client: TestClient, database: Database) -> None:
    assert client.post("/feedback", json={"id": ID, "label": "ham"}).status_code == 202
    with database.reading() as connection:
        assert connection.execute("SELECT reviewer FROM feedback").fetchall() == [(1,)]

"""Every error of every call has one shape, with exactly its four keys."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.service import Models, Served, create_app
from assay.telemetry import Counters

JSON = {"Content-Type": "application/json"}
BODIES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "nothing": (400, b"", JSON),
    "not JSON": (400, b'{"text": ', JSON),
    "not UTF-8": (400, b'{"text": "\xff"}', JSON),
    "not said to be JSON": (415, b'{"text": "x"}', {"Content-Type": "text/plain"}),
    "a key twice": (400, b'{"text": "x", "text": "y"}', JSON),
    "no gzip": (400, b'{"text": "x"}', {**JSON, "Content-Encoding": "gzip"}),
    "another encoding": (415, b'{"text": "x"}', {**JSON, "Content-Encoding": "br"}),
    "a million parts": (422, b'{"texts": [' + b"[]," * 1_000_000 + b"[]]}", JSON),
    "too large": (413, b'{"text": "' + b"x" * 9_000_000 + b'"}', JSON),
    "an array": (422, b"[]", JSON),
    "null": (422, b"null", JSON),
    "NaN": (400, b'{"text": NaN, "texts": NaN}', JSON),
    "a number": (422, b'{"text": 5, "texts": 5}', JSON),
    "another field": (422, b'{"text": "x", "texts": ["x"], "txet": 1}', JSON),
    "an empty text": (422, b'{"texts": [""]}', JSON),
    "no texts": (422, b'{"texts": []}', JSON),
    "a lone surrogate": (422, b'{"texts": ["\\ud800"]}', JSON),
    "too many texts": (422, json.dumps({"texts": ["x"] * 1_001}).encode(), JSON),
    "too long a text": (422, json.dumps({"texts": ["x" * 65_537]}).encode(), JSON),
}
GOOD: dict[str, Any] = {
    "feedback": {"id": "0" * 32, "label": "ham"},
    "comments:analyze": {"comment": {"text": "x"}, "requestedAttributes": {"SPAM": {}}},
}
"""Bodies of the calls that take no texts, by the end of their path."""
KEYS = {"code", "message", "detail", "request_id"}


def application(*cascades: Cascade) -> FastAPI:
    """Return the service over some cascades."""
    models = Models()
    for cascade in cascades:
        models.serve(Served(cascade=cascade.at_version("1"), stage="Production"))
    return create_app(models, metrics=Counters())


def calls(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield the method and path of every call that OpenAPI knows, task and version filled in."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), filled(path)


def calls_with_json(app: FastAPI) -> Iterator[str]:
    """Yield the path of every call that reads JSON."""
    for path, operations in app.openapi()["paths"].items():
        body = operations.get("post", {}).get("requestBody", {"content": {}})
        if "application/json" in body["content"]:
            yield filled(path)


def filled(path: str) -> str:
    """Return a path with a task and a version in the places of their names."""
    return path.replace("{task}", "spam").replace("{version}", "1")


def check_shape(answer: Any, status: int) -> dict[str, Any]:
    """Return the error of an answer, after looking at all that every client relies on."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == KEYS
    assert re.fullmatch(r"[a-z0-9_]+", error["code"])
    assert error["message"].strip().endswith((".", ")"))
    assert error["request_id"] == answer.headers["x-request-id"]
    assert all(set(fault) == {"field", "message", "got"} for fault in error["detail"])
    return error


@pytest.fixture(scope="module")
def app(spam_cascade: Cascade) -> FastAPI:
    """The service over one task."""
    return application(spam_cascade)


def test_every_call_that_decides_is_looked_at(app: FastAPI) -> None:
    posts = {path for method, path in calls(app) if method == "POST"}
    assert {"/predict", "/predict/batch", "/batch_predict", "/v1/tasks/spam/predict"} <= posts


@pytest.mark.parametrize("fault", BODIES)
def test_a_wrong_body_is_refused_in_one_shape_by_every_call(app: FastAPI, fault: str) -> None:
    status, body, headers = BODIES[fault]
    client = TestClient(app)
    for path in calls_with_json(app):
        error = check_shape(client.post(path, content=body, headers=headers), status)
        assert bool(error["detail"]) == (status == 422)


FILES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "nothing": (400, b"", {"Content-Type": "text/csv"}),
    "JSON": (415, b"{}", JSON),
    "a broken form": (400, b"x", {"Content-Type": "multipart/form-data; boundary=b"}),
    "an empty form": (422, b"--b--", {"Content-Type": "multipart/form-data; boundary=b"}),
    "no column": (422, b"a,b\n1,2\n", {"Content-Type": "text/csv"}),
    "no gzip": (400, b"text", {"Content-Type": "text/csv", "Content-Encoding": "gzip"}),
    "another encoding": (415, b"text", {"Content-Type": "text/csv", "Content-Encoding": "br"}),
}


def takes_files(path: str) -> bool:
    """Return whether a call takes files, and not JSON."""
    return path.endswith("/batch") and not path.endswith("/predict/batch")


@pytest.mark.parametrize("fault", FILES)
def test_a_wrong_file_is_refused_in_one_shape_by_every_call(app: FastAPI, fault: str) -> None:
    status, body, headers = FILES[fault]
    paths = [path for method, path in calls(app) if method == "POST" and takes_files(path)]
    assert {"/batch", "/v1/tasks/spam/batch", "/v1/tasks/spam/versions/1/batch"} == set(paths)
    for path in paths:
        error = check_shape(TestClient(app).post(path, content=body, headers=headers), status)
        assert bool(error["detail"]) == (status == 422)


def test_a_wrong_method_is_refused_in_one_shape_by_every_call(app: FastAPI) -> None:
    client = TestClient(app)
    for method, path in calls(app):
        other = "GET" if method == "POST" else "DELETE"
        assert check_shape(client.request(other, path), 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/v1/tasks", "/v1/tasks/none/predict", "/%00", "/é"),
        "/static-offline-docs/%00swagger-ui.css",
    ],
)
def test_what_is_not_there_is_said_in_one_shape(app: FastAPI, path: str) -> None:
    check_shape(TestClient(app).post(path, json={"text": "x"}), 404)


def test_every_call_without_a_model_answers_in_one_shape() -> None:
    app = application()
    client = TestClient(app)
    for method, path in calls(app):
        if method == "POST" and takes_files(path):
            check_shape(client.post(path, content=b"text\nx\n", headers={"Content-Type": "text/csv"}), 503)
    for path in calls_with_json(app):
        body = GOOD.get(path.rpartition("/")[2], {"texts": ["x"]})
        check_shape(client.post(path, json=body), 503)
    assert "assay train" in check_shape(client.get("/health/ready"), 503)["message"]


def test_what_breaks_inside_is_said_in_one_shape(spam_cascade: Cascade) -> None:
    class Broken(Cascade):
        def decide(self, texts: Any) -> Any:
            raise ZeroDivisionError("the secret of the house")

    parts = {name: getattr(spam_cascade, name) for name in ("task", "model", "operating_point", "manifest")}
    client = TestClient(application(Broken(**parts)), raise_server_exceptions=False)
    error = check_shape(client.post("/predict", json={"text": "x"}), 500)
    assert error["code"] == "internal_error"
    assert "secret" not in error["message"]

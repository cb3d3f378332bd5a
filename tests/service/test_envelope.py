"""What every request gets: an id, a measurement, an answer when something breaks."""

import logging
import re
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

FRESH = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["abc-123", "7f3:a/b+c=@d_e.f", "x" * 128])
def test_a_sane_request_id_is_taken_over(client: TestClient, given: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == answer.json()["error"]["request_id"] == given


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "tab\there", "\xe9", "<b>", 'a"b', "a\x7fb"])
def test_an_odd_request_id_is_replaced(client: TestClient, given: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": given.encode("latin-1")})
    assert FRESH.fullmatch(answer.headers["x-request-id"])
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_good_answers_carry_a_fresh_id_each(client: TestClient) -> None:
    ids = {client.get("/health/live").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


def test_what_breaks_is_500_in_the_one_shape_and_logged_with_its_id(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the service")

    with caplog.at_level(logging.ERROR, logger="assay"):
        answer = client.get("/broken", headers={"X-Request-ID": "seek-me"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert answer.json()["error"]["request_id"] == "seek-me"
    assert "secret" not in answer.text
    assert "seek-me" in caplog.text
    assert "a secret of the service" in caplog.text


def test_a_failure_is_counted_as_500(app: FastAPI, client: TestClient) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    client.get("/broken")
    assert (
        'assay_requests_total{method="GET",route="/broken",status="500"} 1.0' in client.get("/metrics").text
    )


def test_a_wrong_parameter_of_any_route_has_the_one_shape(app: FastAPI, client: TestClient) -> None:
    @app.get("/number")
    async def number(request: Request, n: int) -> int:
        return n

    answer = client.get("/number?n=many")
    assert answer.status_code == 422
    assert answer.json()["error"]["detail"][0]["field"] == "query.n"


def test_unknown_paths_and_methods_add_no_series(client: TestClient) -> None:
    for number in range(30):
        client.get(f"/nowhere/{number}")
        client.post(f"/v1/tasks/made-up-{number}/predict", json={"text": "x"})
        client.request(f"VERB{number}", "/health")
    series = [line for line in client.get("/metrics").text.splitlines() if "assay_requests_total{" in line]
    assert len(series) == 3
    assert 'method="GET",route="(unmatched)",status="404"} 30.0' in "\n".join(series)
    assert 'method="POST",route="/v1/tasks/{task}/predict",status="404"} 30.0' in "\n".join(series)
    assert 'method="other",route="/health",status="405"} 30.0' in "\n".join(series)


def test_405_names_what_is_allowed(client: TestClient) -> None:
    answer = client.post("/health")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "GET, HEAD, OPTIONS" in answer.json()["error"]["message"]
    assert client.get("/predict").headers["allow"] == "OPTIONS, POST"


def test_404_has_the_one_shape_and_no_long_echo(client: TestClient) -> None:
    answer = client.get("/" + "x" * 10_000)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert len(answer.content) < 500


def test_a_missing_script_of_the_documentation_has_the_one_shape(client: TestClient) -> None:
    assert client.get("/static-offline-docs/none.js").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("words", "status"), [("the handler is closed", 499), ("Expected another message", 200)]
)
def test_a_connection_that_is_closed_before_the_answer_is_no_failure_of_the_service(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture, words: str, status: int
) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        raise RuntimeError(f"unable to perform operation; {words}")

    scope = {"type": "http", "method": "GET", "path": "/health/live", "query_string": b"", "headers": []}
    with nullcontext() if status == 499 else pytest.raises(RuntimeError, match=words):
        anyio.run(app, {**scope, "root_path": ""}, receive, send)
    assert ("broke" in caplog.text) == (status != 499)
    assert f'route="/health/live",status="{status}"}} 1.0' in client.get("/metrics").text

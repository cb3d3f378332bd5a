"""What ``/health`` tells beside which version answers: requests, and what watches the decisions."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.service import Models, create_app
from assay.service.schemas import Health
from assay.telemetry import Counters
from tests.service.conftest import running


def health_with(models: Models, **sections: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is told of health where these parts tell of themselves."""
    app = create_app(models, metrics=Counters(), state=sections)  # type: ignore[arg-type]
    health = TestClient(app).get("/health")
    assert health.status_code == 200
    Health.model_validate_json(health.content)
    return dict(health.json())


def test_requests_errors_and_latencies_are_told(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "a wonderful film"}).status_code == 200
    assert client.post("/predict", json={"texts": ["fine", " "]}).status_code == 422
    assert client.post("/predict", json={"text": 7}).status_code == 422
    health = client.get("/health")
    Health.model_validate_json(health.content)
    statistics = health.json()["statistics"]
    sentiment = statistics["tasks"]["sentiment"]
    # A body that cannot be read names no task; a text that cannot be decided has come to one.
    assert (statistics["requests"], sentiment["requests"], sentiment["failed"]) == (3, 2, 0)
    assert statistics["errors"] == {"invalid_request": 2}
    assert 0 < sentiment["latency"]["p50"] <= sentiment["latency"]["p99"] < 10
    assert (sentiment["tiers"], sentiment["versions"], sentiment["rules"]) == ({"model": 1}, {"2": 1}, {})
    assert sentiment["review_share"] == 0


def test_parts_that_are_not_there_tell_nothing(client: TestClient) -> None:
    health = client.get("/health").json()
    assert [health[name] for name in ("decision_log", "drift")] == [None, None]


def test_what_watches_the_decisions_tells_of_itself(models: Models) -> None:
    drift = {"reason": None, "tasks": {"spam": {"alarms": ["score"]}}}
    health = health_with(models, drift=lambda: drift, decision_log=lambda: {"waiting": 3})
    assert (health["drift"], health["decision_log"]) == (drift, {"waiting": 3})
    assert (health["status"], health["faults"]) == ("ok", {})


def test_a_part_that_is_out_of_order_makes_the_service_degraded(models: Models) -> None:
    health = health_with(models, decision_log=lambda: {"reason": "The disk is full."})
    assert (health["status"], health["faults"]) == ("degraded", {"decision_log": "The disk is full."})


def test_a_part_that_cannot_tell_does_not_hide_the_others(
    models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Mapping[str, Any]:
        raise ZeroDivisionError("no decisions")

    health = health_with(models, drift=broken, decision_log=lambda: {"waiting": 5})
    assert health["decision_log"] == {"waiting": 5}
    assert (health["status"], list(health["faults"])) == ("degraded", ["drift"])
    assert "ZeroDivisionError" in health["faults"]["drift"]
    assert "no decisions" in caplog.text


def test_texts_that_are_decided_in_a_thread_are_told_to_the_metrics(app: FastAPI) -> None:
    body = {"texts": ["some words of a long text " * 200] * 300}
    seen: set[str] = set()
    end = time.monotonic() + 30

    def send(address: str) -> None:
        # Again and again: the service looks four times a second at what is under way.
        while "assay_deciding_texts 300.0" not in seen and time.monotonic() < end:
            httpx.post(f"{address}/predict", json=body)

    with running(app) as address:
        sending = threading.Thread(target=send, args=(address,))
        sending.start()
        while sending.is_alive():
            metrics = httpx.get(f"{address}/metrics").text.splitlines()
            seen |= {line for line in metrics if line.startswith("assay_deciding_texts ")}
        sending.join()
    assert "assay_deciding_texts 300.0" in seen

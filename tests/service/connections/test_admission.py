"""Who may come in: the decision, and a service that has more than it can take."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from assay.service import Limits, Models, create_app
from assay.service.connections.admission import Load, is_exempt, reason_to_refuse
from assay.service.connections.patience import Patience
from assay.service.limits import FEW_IN_FLIGHT
from assay.telemetry import Counters
from tests.service.connections.metrics import wait_for_metric

LIMITS = Limits(max_in_flight=20, max_delay_ms=50)
WAITS = st.floats(0, 10)


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (Load(delay=0.0, waited=0.0, in_flight=0), ""),
        (Load(delay=0.05, waited=0.05, in_flight=19), ""),
        (Load(delay=0.0, waited=0.0, in_flight=20), "in_flight"),
        (Load(delay=0.051, waited=0.0, in_flight=FEW_IN_FLIGHT), "delay"),
        (Load(delay=0.0, waited=0.051, in_flight=FEW_IN_FLIGHT), "waiting"),
        (Load(delay=9.0, waited=9.0, in_flight=FEW_IN_FLIGHT - 1), ""),
        (Load(delay=0.0, waited=0.0, in_flight=0, crowded=True), "connections"),
    ],
)
def test_what_keeps_a_request_out(load: Load, reason: str) -> None:
    assert reason_to_refuse(load, LIMITS) == reason


@given(delay=WAITS, waited=WAITS, in_flight=st.integers(0, 100), more=WAITS)
def test_a_busier_service_lets_nobody_in_whom_it_refused(
    delay: float, waited: float, in_flight: int, more: float
) -> None:
    if reason_to_refuse(Load(delay, waited, in_flight), LIMITS):
        for busier in (
            Load(delay + more, waited, in_flight),
            Load(delay, waited + more, in_flight),
            Load(delay, waited, in_flight + 1),
        ):
            assert reason_to_refuse(busier, LIMITS)


def test_health_metrics_and_administration_are_never_turned_away() -> None:
    for path in ("/health", "/health/ready", "/metrics", "/v1/admin/refresh"):
        assert is_exempt(path)
    for path in ("/", "/predict", "/v1/tasks/health/predict", "/v1/tasks/spam/predict"):
        assert not is_exempt(path)


def test_a_body_may_take_longer_for_what_came_of_it() -> None:
    patience = Patience(Limits(header_seconds=1, body_seconds=2))
    patience.begin(0.0)
    assert not patience.is_over(1.0)
    assert patience.is_over(1.1)
    patience.body_begins(5.0)
    assert not patience.is_over(7.0)
    assert patience.is_over(7.1)
    patience.received = 10_000
    assert not patience.is_over(17.0)
    assert patience.is_over(17.1)
    patience.rest()
    assert not patience.is_over(99.0)


def test_a_client_is_stalled_when_it_takes_nothing_for_long() -> None:
    patience = Patience(Limits())
    assert not patience.is_stalled(0.0, 1_000)
    assert not patience.is_stalled(29.0, 900)
    assert not patience.is_stalled(58.0, 900)
    assert patience.is_stalled(60.0, 900)
    assert not patience.is_stalled(61.0, 0)
    assert not patience.is_stalled(99.0, 10)


def test_beyond_what_it_can_take_the_service_answers_503_at_once_and_health_goes_on(
    models: Models, serve: Callable[[FastAPI], AbstractContextManager[str]]
) -> None:
    gate, entered = threading.Event(), threading.Semaphore(0)
    limits = Limits(max_in_flight=FEW_IN_FLIGHT)
    app = create_app(models, metrics=Counters(), limits=limits)

    @app.get("/held")
    def held() -> str:
        entered.release()
        gate.wait(60)
        return "done"

    statuses: Counter[int] = Counter()

    def hold(address: str) -> None:
        statuses[httpx.get(f"{address}/held", timeout=60).status_code] += 1

    with serve(app) as address:
        threads = [threading.Thread(target=hold, args=(address,)) for _ in range(FEW_IN_FLIGHT)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert entered.acquire(timeout=30)
        refused = httpx.post(f"{address}/predict", json={"text": "dull"}, headers={"X-Request-ID": "me-1"})
        check_overloaded(refused)
        check_both_answered(address)
        assert httpx.get(f"{address}/health").json()["status"] == "ok"
        gate.set()
        for thread in threads:
            thread.join(30)
        assert statuses == {200: FEW_IN_FLIGHT}
        assert httpx.post(f"{address}/predict", json={"text": "dull"}).status_code == 200
        wait_for_metric(address, 'assay_rejected_total{reason="in_flight"} 3.0')


def check_overloaded(answer: httpx.Response) -> None:
    """Require the refusal that asks to come back."""
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    error: dict[str, Any] = answer.json()["error"]
    assert (error["code"], error["request_id"], error["detail"]) == ("overloaded", "me-1", [])
    assert answer.headers["x-request-id"] == "me-1"


def check_both_answered(address: str) -> None:
    """Require that a refused connection goes on, and that a refused HEAD has no body."""
    body = json.dumps({"text": "dull"}).encode()
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.sendall(body[:3])
        connection.sendall(body[3:] + b"GET /health/live HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n")
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert [each[:3] for each in received.split(b"HTTP/1.1 ")[1:]] == [b"503", b"503", b"200"]
    assert received.count(b"overloaded") == 1

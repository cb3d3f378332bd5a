"""What every request gets: an id, a measurement, an answer when something breaks."""

import asyncio
import logging
import re
from contextlib import nullcontext
from typing import Any

import anyio
import pytest
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from assay.service import Exchange, Models, create_app
from assay.service.envelope import Envelope
from assay.telemetry import Counters

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
        'assay_requests_total{method="GET",route="/broken",status="500",task=""} 1.0'
        in client.get("/metrics").text
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
    assert 'method="GET",route="(unmatched)",status="404",task=""} 30.0' in "\n".join(series)
    assert 'method="POST",route="/v1/tasks/{task}/predict",status="404",task=""} 30.0' in "\n".join(series)
    assert 'method="other",route="/health",status="405",task=""} 30.0' in "\n".join(series)


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


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the service runs on."""
    return "asyncio"


class Log:
    """A request log that keeps what it is told."""

    texts = True

    def __init__(self) -> None:
        self.told: list[Exchange] = []

    def write(self, exchange: Exchange) -> None:
        self.told.append(exchange)


@pytest.fixture
def log() -> Log:
    """What the service of ``logged`` tells its log."""
    return Log()


@pytest.fixture
def logged(models: Models, log: Log) -> FastAPI:
    """The service over three tasks, with a request log."""
    return create_app(models, metrics=Counters(), log=log)


def test_the_log_is_told_what_decided_and_how_much_went_in_and_out(logged: FastAPI, log: Log) -> None:
    answer = TestClient(logged).post("/v1/tasks/spam/predict", json={"texts": ["one", "two"]})
    [told] = log.told
    assert (told.task, told.version, told.texts, told.content) == ("spam", "1", 2, ("one", "two"))
    assert (told.received, told.sent) == (len(answer.request.content), len(answer.content))
    assert (told.route, told.path) == ("/v1/tasks/{task}/predict", "/v1/tasks/spam/predict")
    assert (told.status, told.code, told.address) == (200, "", "testclient")


def test_texts_are_kept_for_a_log_that_asks_alone(logged: FastAPI, log: Log) -> None:
    log.texts = False
    TestClient(logged).post("/v1/tasks/spam/predict", json={"text": "one"})
    assert (log.told[0].texts, log.told[0].content) == (1, ())


def test_an_answer_to_head_has_the_headers_of_get_and_no_byte_of_body(logged: FastAPI, log: Log) -> None:
    client = TestClient(logged)
    got, head = client.get("/health/live"), client.head("/health/live")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert [(told.method, told.sent) for told in log.told] == [("GET", len(got.content)), ("HEAD", 0)]


async def asked(app: ASGIApp, *, gone: bool = False) -> tuple[Log, list[Message]]:
    """Ask an application in an envelope; return what its log and its client were told."""
    log, sent = Log(), []
    messages = [{"type": "http.disconnect"}] if gone else [{"type": "http.request", "body": b"abc"}]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x\n\x1b[31m", "headers": [], "client": None}
    try:
        await Envelope(app, metrics=Counters(), log=log)(scope, receive, send)
    except RuntimeError as error:
        sent.append({"type": "broken off", "why": str(error)})
    return log, sent


def nobody() -> tuple[Receive, Send]:
    """Return the two ends of a client that neither says nor hears anything."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert message is None

    return receive, send


def answering(*messages: Message, fault: BaseException | None = None) -> ASGIApp:
    """Return an application that reads once, sends some messages and then ends, or breaks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] == "http.disconnect":
            raise ClientDisconnect
        for message in messages:
            await send(message)
        if fault:
            raise fault

    return app


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"part", "more_body": True}


@pytest.mark.anyio
async def test_a_failure_in_the_middle_of_an_answer_breaks_it_off_and_is_told() -> None:
    log, sent = await asked(answering(START, PART, fault=RuntimeError("disk")))
    assert [message["type"] for message in sent] == [
        "http.response.start", "http.response.body", "broken off",
    ]  # fmt: skip
    [told] = log.told
    assert (told.status, told.code, told.sent, told.received) == (200, "internal_error", 4, 3)


@pytest.mark.anyio
async def test_an_application_that_ends_without_an_answer_is_a_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, sent = await asked(answering())
    assert (sent[0]["status"], log.told[0].code) == (500, "internal_error")
    # A path cannot write into the service's messages.
    assert "\x1b" not in caplog.text
    assert "/x\n" not in caplog.text


@pytest.mark.anyio
async def test_who_leaves_before_the_end_is_counted_as_gone() -> None:
    for app, gone, count in ((answering(START, PART), False, 2), (answering(START), True, 0)):
        log, sent = await asked(app, gone=gone)
        assert (log.told[0].status, log.told[0].code, len(sent)) == (499, "", count)


@pytest.mark.anyio
async def test_a_request_that_is_cancelled_is_told_and_stays_cancelled() -> None:
    log = Log()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("10.0.0.9", 1)}
    with pytest.raises(asyncio.CancelledError):
        await Envelope(app, metrics=Counters(), log=log)(scope, *nobody())
    assert (log.told[0].status, log.told[0].address) == (499, "10.0.0.9")


def test_a_websocket_is_refused_and_no_request(logged: FastAPI, log: Log) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        TestClient(logged).websocket_connect("/predict"),
    ):
        pass
    assert log.told == []


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
    assert f'route="/health/live",status="{status}",task=""}} 1.0' in client.get("/metrics").text

"""Connections with the hot route: counts and logs, swaps, pieces, what comes too late, and too much."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from assay.estimators import Cascade
from assay.service import Connection, Decided, Entrance, Limits, Missing, Models, Served, create_app
from assay.service.connections.line import Line
from assay.service.hotroute import HotRoute
from assay.service.limits import COMPRESSED_FROM, FEW_IN_FLIGHT, IDLE_SECONDS, LOOK_SECONDS
from assay.telemetry import Counters
from tests.service.callers import Log
from tests.service.hotroute.hot import JSON, Heat, ask, connect, ordinarily, parse, post, read, text

Serve = Callable[[FastAPI], AbstractContextManager[str]]
BODY = text("a wonderful film")
PLAIN = post(BODY, JSON)
LAST = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


NOT_COMPARED = ('route="/metrics"', "_created")


@dataclass
class Sink:
    """Keeps what it is told of decisions."""

    told: list[Decided] = field(default_factory=list)

    def write(self, decided: Decided) -> None:
        """Keep it."""
        self.told.append(decided)


def wait_for(come: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not come():
        assert time.monotonic() < end
        time.sleep(0.005)


def series(address: str) -> dict[str, str]:
    """Return what the metrics count of requests and decisions, without durations."""
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    names = (
        "assay_requests",
        "assay_decisions",
        "assay_texts",
        "assay_errors",
        "assay_request_seconds_count",
    )
    found = dict(line.rpartition(" ")[::2] for line in lines if line.startswith(names))
    return {name: value for name, value in found.items() if not any(part in name for part in NOT_COMPARED)}


def test_counts_and_logs_are_the_same(models: Models, serve: Serve, heat: Heat) -> None:
    asked = [
        post(text("a wonderful film", subject="someone"), JSON, "X-Request-ID: a"),
        post(text("free prize"), JSON, path="/v1/tasks/spam/predict"),
    ]
    found = []
    for way in (bytes, ordinarily):
        log, sink = Log(texts=True), Sink()
        with serve(create_app(models, metrics=Counters(), log=log, sink=sink)) as address:
            for request in asked:
                ask(address, way(request))
            counted = series(address)
        written = [asdict(each) for each in log.written if each.route != "/metrics"]
        for each in written:
            assert each.pop("seconds") > 0
            assert each.pop("at") > 0
            if each["request_id"] != "a":
                assert len(each.pop("request_id")) == 32
        told = [each._replace(decisions=(), exchange=each.exchange.route) for each in sink.told]  # type: ignore[arg-type]
        labels = [decision.label for each in sink.told for decision in each.decisions]
        found.append((counted, written, told, labels))
    assert heat.answered == [True, True]
    assert found[0] == found[1]
    assert len(found[0][1]) == 2


def test_the_next_request_after_a_swap_is_answered_by_the_new_version(
    models: Models, serve: Serve, sentiment_cascade: Cascade, heat: Heat
) -> None:
    versions = []
    with serve(create_app(models, metrics=Counters())) as address, connect(address) as connection:
        for version in ("7", "8"):
            models.serve(Served(cascade=sentiment_cascade.at_version(version)))
            connection.sendall(PLAIN)
            versions.append(parse(read(connection)).body["version"])  # type: ignore[index]
        models.put("sentiment", models.seat("sentiment").__class__(missing=Missing(reason="It left.")))
        connection.sendall(PLAIN)
        assert parse(read(connection)).status == 503
    assert versions == ["7", "8"]
    assert heat.answered == [True, True]


def test_a_swap_while_a_body_is_under_way_answers_with_what_serves_then(
    models: Models, serve: Serve, sentiment_cascade: Cascade, heat: Heat
) -> None:
    with serve(create_app(models, metrics=Counters())) as address, connect(address) as connection:
        connection.sendall(PLAIN[:-5])
        time.sleep(0.2)
        models.serve(Served(cascade=sentiment_cascade.at_version("9")))
        connection.sendall(PLAIN[-5:])
        assert parse(read(connection)).body["version"] == "9"  # type: ignore[index]
    assert heat.answered == [True]


def test_a_cascade_whose_answers_may_be_compressed_is_the_applications(
    serve: Serve, abuse_cascade: Cascade, heat: Heat
) -> None:
    models = Models()
    long = abuse_cascade.task.model_copy(update={"model": "m" * COMPRESSED_FROM})
    models.serve(Served(cascade=abuse_cascade.__class__(**{**vars_of(abuse_cascade), "task": long})))
    with serve(create_app(models, metrics=Counters())) as address:
        assert parse(ask(address, PLAIN)).headers["vary"] == "Accept-Encoding"
    assert heat.answered == []


def vars_of(cascade: Cascade) -> dict[str, Any]:
    """Return the fields of a cascade."""
    return {name: getattr(cascade, name) for name in cascade.__dataclass_fields__}


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_request_in_pieces_is_answered_once_it_is_whole(address: str, heat: Heat, size: int) -> None:
    with connect(address) as connection:
        for _ in range(2):
            for at in range(0, len(PLAIN), size):
                connection.sendall(PLAIN[at : at + size])
            assert parse(read(connection)).status == 200
    assert heat.answered == [True, True]


def test_requests_in_one_piece_are_answered_in_their_order(address: str, heat: Heat) -> None:
    missing = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(address) as connection:
        connection.sendall(PLAIN)
        assert parse(read(connection)).status == 200
        connection.sendall(PLAIN + PLAIN + missing + PLAIN + LAST)
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404", b"200", b"200"]
    assert heat.answered == [True]


def test_a_plain_request_behind_one_under_way_waits_for_it(address: str, heat: Heat) -> None:
    slow = post(text("fine"), JSON, "Trailer: X")
    with connect(address) as connection:
        connection.sendall(slow[:-3])
        time.sleep(0.1)
        connection.sendall(slow[-3:] + PLAIN[:20])
        connection.sendall(PLAIN[20:])
        assert [parse(part).status for part in (read_two(connection))] == [200, 200]


def read_two(connection: Any) -> Iterator[bytes]:
    """Yield two answers that may come together."""
    received = b""
    while received.count(b"HTTP/1.1 200") < 2 or not received.endswith(b"}"):
        received += connection.recv(65_536)
    first, second = received.split(b"HTTP/1.1 ")[1:]
    yield b"HTTP/1.1 " + first
    yield b"HTTP/1.1 " + second


@pytest.mark.parametrize("missing", [5, len(BODY)])
def test_a_client_that_leaves_before_its_body_is_whole_is_counted(
    models: Models, serve: Serve, missing: int
) -> None:
    log = Log()
    with serve(create_app(models, metrics=Counters(), log=log)) as address:
        with connect(address) as connection:
            connection.sendall(PLAIN[:-missing])
            time.sleep(0.2)
        wait_for(lambda: log.written)
    assert [(each.status, each.route) for each in log.written] == [(499, "/predict")]


def test_a_body_that_does_not_come_in_time_is_told_to_the_application(
    models: Models, serve: Serve, heat: Heat
) -> None:
    log = Log()
    limits = Limits(body_seconds=0.5)
    app = create_app(models, metrics=Counters(), log=log, limits=limits)
    with serve(app) as address, connect(address) as connection:
        connection.sendall(PLAIN[:-5])
        assert parse(read(connection)).status == 408
    assert [(each.status, each.route, each.code) for each in log.written] == [
        (408, "/predict", "request_timeout")
    ]
    assert heat.answered == []


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections that are taken in."""
    made: list[Connection] = []
    begin = Connection.connection_made

    def remembered(connection: Connection, transport: Any) -> None:
        begin(connection, transport)
        made.append(connection)

    monkeypatch.setattr(Connection, "connection_made", remembered)
    return made


def test_connections_without_requests_end(models: Models, serve: Serve, made: list[Connection]) -> None:
    with serve(create_app(models, metrics=Counters())) as address, connect(address) as connection:
        for _ in range(3):
            connection.sendall(PLAIN)
            assert parse(read(connection)).status == 200
            # Each answer begins the time anew: together they are idle for longer than one may be.
            wait_for(lambda: made[0]._idle_since)
            made[0]._idle_since -= IDLE_SECONDS / 2
            time.sleep(2 * LOOK_SECONDS)
        made[0]._idle_since -= IDLE_SECONDS
        assert connection.recv(10) == b""


@pytest.fixture
def entrance(monkeypatch: pytest.MonkeyPatch) -> list[Entrance]:
    """The entrances of the applications that are made."""
    made: list[Entrance] = []
    begin = Entrance.__init__

    def remembered(entrance: Entrance, *arguments: Any) -> None:
        begin(entrance, *arguments)
        made.append(entrance)

    monkeypatch.setattr(Entrance, "__init__", remembered)
    return made


def test_a_service_that_is_about_to_stop_asks_clients_to_close(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance]
) -> None:
    with serve(create_app(models, metrics=Counters())) as address, connect(address) as connection:
        connection.sendall(PLAIN[:-5])
        time.sleep(0.2)
        entrance[0].draining = True
        connection.sendall(PLAIN[-5:])
        assert parse(read(connection)).headers["connection"] == "close"
        assert connection.recv(10) == b""
        assert parse(ask(address, PLAIN)).headers["connection"] == "close"
    assert heat.answered == []


class Held(Line):
    """A line that nobody leaves for as long as it is held."""

    held = True

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.held:
            loop.call_later(0.01, self._take_turn, loop)
        else:
            super()._take_turn(loop)


def test_what_waited_too_long_behind_others_is_turned_away(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance]
) -> None:
    log = Log()
    app = create_app(models, metrics=Counters(), log=log, limits=Limits(max_delay_ms=60_000.0))
    with serve(app) as address, ExitStack() as stack:
        line = entrance[0].line = Held()
        first, *others, last = [stack.enter_context(connect(address)) for _ in range(FEW_IN_FLIGHT + 2)]
        first.sendall(PLAIN)
        wait_for(lambda: len(line) == 1)
        for each in others:
            each.sendall(PLAIN)
        wait_for(lambda: len(line) == FEW_IN_FLIGHT + 1 and line.wait > 1.1)
        # As with a limit of half a second: one more would wait for too long, and is told at once.
        entrance[0].limits = Limits(max_delay_ms=500.0)
        last.sendall(PLAIN)
        refused = parse(read(last))
        # One who was let in is turned away after twice as long, as long as there are many behind.
        line.held = False
        answers = [parse(read(each)) for each in (first, *others)]
        last.sendall(ordinarily(PLAIN))
        assert parse(read(last)).status == 200
    assert (refused.status, refused.body["error"]["code"]) == (503, "overloaded")  # type: ignore[index]
    assert answers[0] == refused
    assert [each.status for each in answers[1:]] == [200] * FEW_IN_FLIGHT
    assert heat.answered == [True] * FEW_IN_FLIGHT
    told = [(each.status, each.code, each.method, each.path, each.address) for each in log.written]
    assert told[:2] == [(503, "overloaded", "POST", "/predict", "127.0.0.1")] * 2


def test_plain_requests_are_turned_away_as_others_are(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance]
) -> None:
    log, metrics = Log(), Counters()
    app = create_app(models, metrics=metrics, log=log, limits=Limits(max_in_flight=20))
    with serve(app) as address, connect(address) as connection:
        entrance[0].in_flight = 20
        given = []
        for request in (PLAIN, ordinarily(PLAIN), post(BODY, JSON, "X-Request-ID: mine")):
            connection.sendall(request)
            given.append(read(connection))
        entrance[0].in_flight = 0
        wait_for(lambda: 'assay_rejected_total{reason="in_flight"} 3.0' in metrics.render().decode())
        connection.sendall(PLAIN)
        assert parse(read(connection)).status == 200
    assert parse(given[0]) == parse(given[1])
    assert b"\r\nx-request-id: mine\r\n" in given[2]
    refused = [asdict(each) for each in log.written[:3]]
    assert [each.pop("request_id") for each in refused][2] == "mine"
    for each in refused:
        assert each.pop("seconds") >= 0
        each.pop("at")
    assert refused[0] == refused[1] == refused[2]
    assert heat.answered == [True]


def test_a_plain_request_of_a_service_that_stops_is_turned_away_by_the_application(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance]
) -> None:
    app = create_app(models, metrics=Counters(), limits=Limits(max_in_flight=20))
    with serve(app) as address, connect(address) as connection:
        connection.sendall(PLAIN[:-5])
        wait_for(lambda: any(each._plain and each._plain.pieces for each in entrance[0].connections))  # type: ignore[attr-defined]
        entrance[0].in_flight, entrance[0].draining = 20, True
        connection.sendall(PLAIN[-5:])
        answer = parse(read(connection))
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        entrance[0].in_flight = 0
    assert heat.answered == []


@pytest.mark.parametrize("left_by", ["leaving", "sending more"])
def test_a_request_that_leaves_the_line_is_the_applications(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance], left_by: str
) -> None:
    log = Log()
    with serve(create_app(models, metrics=Counters(), log=log)) as address:
        line = entrance[0].line = Held()
        with connect(address) as connection:
            connection.sendall(PLAIN)
            wait_for(lambda: len(line) == 1)
            if left_by == "sending more":
                connection.sendall(LAST)
                assert [parse(part).status for part in read_two(connection)] == [200, 200]
        wait_for(lambda: any(each.route == "/predict" for each in log.written))
        line.held = False
        wait_for(lambda: not len(line))
        assert parse(ask(address, PLAIN)).status == 200
    assert heat.answered == [True]


def test_a_fault_of_the_hot_route_is_the_applications_error(
    models: Models, serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(cascade: Cascade, texts: list[str], *, explain: bool = False) -> None:
        raise RuntimeError("no model")

    monkeypatch.setattr(Cascade, "decide", broken)
    with serve(create_app(models, metrics=Counters())) as address:
        answer = parse(ask(address, PLAIN))
    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")  # type: ignore[index]
    assert "The shortcut failed at a request of 127.0.0.1" in caplog.text


def test_answers_that_nobody_takes_are_not_piled_up(
    models: Models, serve: Serve, made: list[Connection], heat: Heat
) -> None:
    with serve(create_app(models, metrics=Counters())) as address, connect(address) as connection:
        connection.sendall(PLAIN)
        read(connection)
        made[0].flow.pause_writing()
        connection.sendall(PLAIN)
        time.sleep(0.3)
        made[0].loop.call_soon_threadsafe(made[0].flow.resume_writing)
        assert parse(read(connection)).status == 200
    assert heat.answered == [True]


def test_what_takes_the_place_of_the_hot_route_may_be_nothing(
    models: Models, serve: Serve, heat: Heat, entrance: list[Entrance]
) -> None:
    app = create_app(models, metrics=Counters())
    assert isinstance(entrance[0].shortcut, HotRoute)
    entrance[0].shortcut = None
    with serve(app) as address:
        assert json.loads(ask(address, PLAIN).partition(b"\r\n\r\n")[2])["label"] == "positive"
    assert heat.answered == []

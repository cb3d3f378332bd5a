"""All of compose.yaml on this machine, driven through Nginx: answers, swaps, rollbacks, each failure."""

import asyncio
import csv
import io
import json
import os
import shutil
import signal
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.access import shared_file
from assay.settings import Settings
from benchmarks.load import Answer, drive, post
from tests.servers import postgres_missing, prometheus_missing, redis_missing
from tests.stack import PATIENCE_SECONDS, REPLICAS, Stack, until

NGINX = "" if shutil.which("nginx") else "Nginx is not installed: no nginx"
MISSING = NGINX or redis_missing() or prometheus_missing() or postgres_missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "all are there")

RATE = float(os.environ.get("ROLLING_RATE", "30"))
"""Requests a second while something fails or is restarted."""
RESTARTS = int(os.environ.get("ROLLING_RESTARTS", "1"))
"""How often each replica is restarted; `make rolling` asks for more than CI has time for."""
ROLLBACK_SECONDS = 60.0
PREDICT = "/v1/tasks/spam/predict"
BATCH = "/v1/tasks/spam/batch"
TEXT = {"text": "free prize, call now"}


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, spam_artifact: Path, other_artifact: Path
) -> Iterator[Stack]:
    """Everything started, spam in two versions, the first in production."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        shutil.copy(empty_database, stack.places.folder / "mlflow" / "mlflow.db")
        stack.start("postgres", "redis", "mlflow")
        stack.make_keys()
        for artifact in (spam_artifact, other_artifact):
            stack.mover.register(artifact)
        stack.mover.promote("1")
        stack.start()
        yield stack
    finally:
        stack.close()
        shared_file(stack.places.folder / "home").unlink(missing_ok=True)


@pytest.fixture
def stack(whole: Stack) -> Stack:
    """Everything but MLflow, whose start takes longest, is up again, whatever a test before ended."""
    whole.start(*(name for name in whole.servers if name != "mlflow"))
    return whole


class Load:
    """Requests on a timetable, each with what became of it."""

    def __init__(self, stack: Stack) -> None:
        self.answers: list[Answer] = []
        self.ended = threading.Event()
        address = f"http://{stack.places.at('nginx')}"
        raw = post(address, PREDICT, json.dumps(TEXT).encode(), [f"Authorization: Bearer {stack.key}"])
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(address, raw)))

    async def _run(self, address: str, raw: bytes) -> None:
        while not self.ended.is_set():
            await drive(address, lambda _: raw, self.answers.append, seconds=0.5, rate=RATE)

    def start(self) -> None:
        """Begin, and return when answers come."""
        self._thread.start()
        self.wait_for_more()

    def wait_for_more(self) -> None:
        """Return when more than a second's requests were answered from now on."""
        count = len(self.answers) + RATE
        until(lambda: len(self.answers) > count, "more answers")

    def stop(self) -> None:
        """End, once what was sent is answered."""
        self.ended.set()
        self._thread.join(PATIENCE_SECONDS)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came; 0 stands for no answer."""
        return Counter(each.status for each in self.answers)

    def report(self) -> str:
        """Return in words what was seen."""
        slowest = sorted(each.seconds for each in self.answers)
        at = {share: 1e3 * slowest[int(share / 100 * (len(slowest) - 1))] for share in (50, 99, 100)}
        told = ", ".join(f"p{share} {value:.1f} ms" for share, value in at.items())
        return f"{len(slowest):,} requests, {RATE:.0f}/s: {dict(self.statuses)}; {told}"


@contextmanager
def asking(stack: Stack) -> Iterator[Load]:
    """Ask for decisions during the block; each must have been given."""
    load = Load(stack)
    load.start()
    try:
        yield load
        load.wait_for_more()
    finally:
        load.stop()
    bad = [(each.status, each.body[:300]) for each in load.answers if each.status != 200]
    assert bad == []


def lines(stack: Stack, name: str) -> list[dict[str, Any]]:
    """Return the lines of JSON that a server has logged."""
    said = (
        (stack.places.folder / "nginx.jsonl").read_text(encoding="utf-8")
        if name == "nginx"
        else stack.said(name)
    )
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def asked_under(stack: Stack, request: str, name: str) -> list[dict[str, Any]]:
    """Return what a server logged about a request; the log of a replica is written a little later."""
    return [line for line in lines(stack, name) if line["http.request.id"] == request]


def test_both_replicas_answer_and_know_who_asks(stack: Stack) -> None:
    with stack.client_of("nginx", source="127.0.0.9") as client:
        for number in range(20):
            answer = client.post(PREDICT, json=TEXT, headers={"X-Request-ID": f"known-{number}"})
            assert answer.status_code == 200
            assert answer.headers["X-Request-ID"] == f"known-{number}"
            assert "Strict-Transport-Security" not in answer.headers
    [line] = asked_under(stack, "known-7", "nginx")
    assert (line["client.ip"], line["upstream_status"]) == ("127.0.0.9", "200")

    def told() -> list[dict[str, Any]]:
        return [line for name in REPLICAS for line in asked_under(stack, "known-7", name)]

    until(lambda: len(told()) == 1, "one line of a replica")
    assert [line["client.ip"] for line in told()] == ["127.0.0.9"]
    asked = {
        line["upstream"] for line in lines(stack, "nginx") if line["http.request.id"].startswith("known-")
    }
    assert asked == {stack.places.at(name) for name in REPLICAS}


def test_tls_ends_at_nginx_and_the_replicas_know(stack: Stack) -> None:
    certificate = stack.places.folder / "secrets" / "tls_certificate"
    trusting = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(verify=trusting, headers={"X-API-Key": stack.key}) as client:
        answer = client.post(f"https://{stack.places.at('tls')}{PREDICT}", json=TEXT)
    assert answer.status_code == 200
    for header in ("strict-transport-security", "x-content-type-options", "content-security-policy"):
        assert len(answer.headers.get_list(header)) == 1


def test_nginx_answers_for_itself_as_the_service_does(stack: Stack) -> None:
    whole_limit = Settings().max_body_bytes
    with stack.client as client:
        for path in ("/metrics", "/v1/admin/refresh", "/v1/admin"):
            refused = client.post(path, headers={"X-Request-ID": "mine"})
            assert refused.status_code == 404
            assert refused.json()["error"] == {
                "code": "not_found",
                "message": "There is nothing at this path.",
                "detail": None,
                "request_id": "mine",
            }
        large = client.post(f"{PREDICT}/batch", content=b" " * (whole_limit + 1))
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
        allowed = client.post(f"{PREDICT}/batch", content=b" " * whole_limit)
        assert allowed.json()["error"]["code"] == "unsupported_media_type"
        odd = client.post("/metrics", headers={"X-Request-ID": 'a", "b": "c'}).json()["error"]["request_id"]
        assert len(odd) == 32


def test_a_file_goes_through_as_it_comes(stack: Stack) -> None:
    rows = [["text"], *([f"free prize {number} " + "lunch tomorrow " * 4_000] for number in range(160))]
    held = io.StringIO()
    csv.writer(held).writerows(rows)
    body = held.getvalue().encode()
    assert len(body) > Settings().max_body_bytes
    with stack.client as client, stack.client_of("api-1") as direct:
        sent = {"content": body, "headers": {"Content-Type": "text/csv"}}
        through, there = client.post(BATCH, **sent), direct.post(BATCH, **sent)
    assert (through.status_code, there.status_code) == (200, 200)
    ours, theirs = (list(csv.DictReader(io.StringIO(each.text))) for each in (through, there))
    assert [row["assay_score"] for row in ours] == [row["assay_score"] for row in theirs]
    assert len(ours) == 160


def test_both_replicas_follow_mlflow_and_go_on_without_it(stack: Stack) -> None:
    with asking(stack) as load:
        stack.mover.promote("2")
        for name in REPLICAS:
            until(lambda name=name: stack.version(name) == "2", f"version 2 in {name}")
        load.wait_for_more()
        begun = time.monotonic()
        stack.mover.registry.rollback("SpamClassifier", who="ann", reason="for a test")
        for name in REPLICAS:
            until(lambda name=name: stack.version(name) == "1", f"version 1 in {name}")
        took = time.monotonic() - begun
    print(f"\nrollback: {took:.2f} s from the decision to the last replica; {load.report()}")
    assert took < ROLLBACK_SECONDS
    versions = [json.loads(each.body)["version"] for each in load.answers]
    assert {"1", "2"} == set(versions)
    assert (versions[0], versions[-1]) == ("1", "1")
    # No other test needs it, and its start takes longest: it stays away.
    stack.servers["mlflow"].stop()
    with asking(stack):
        for name in REPLICAS:
            until(lambda name=name: stack.health(name)["status"] == "degraded", f"{name} says so")
        # Also where a replica begins anew.
        stack.servers["api-2"].kill()
        stack.start("api-2")
        assert stack.version("api-2") == "1"


def test_a_replica_that_is_killed_takes_no_request_with_it(stack: Stack) -> None:
    with asking(stack) as load:
        stack.servers["api-1"].kill()
        load.wait_for_more()
        stack.start("api-1")
    print(f"\nkilled: {load.report()}")


def test_a_rolling_restart_loses_no_request(stack: Stack) -> None:
    with asking(stack) as load:
        for _ in range(RESTARTS):
            for name in REPLICAS:
                server = stack.servers[name]
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(PATIENCE_SECONDS) == 0
                server.stop()
                server.start()
                load.wait_for_more()
    print(f"\nrolling: {2 * RESTARTS} restarts; {load.report()}")


def test_without_any_replica_nginx_asks_to_come_again(stack: Stack) -> None:
    for name in REPLICAS:
        stack.servers[name].kill()
    with stack.client as client:
        answer = client.post(PREDICT, json=TEXT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"]["code"] == "overloaded"


def test_without_redis_requests_are_answered(stack: Stack) -> None:
    stack.servers["redis"].stop()
    with asking(stack):
        pass
    for name in REPLICAS:
        assert stack.health(name)["tasks"]["spam"]["version"] == "1"


def test_without_postgresql_decisions_go_on_and_feedback_waits(stack: Stack) -> None:
    with stack.client as client:
        decided = client.post(PREDICT, json=TEXT).json()
        label = {"id": decided["id"], "label": decided["label"]}
        assert client.post("/v1/tasks/spam/feedback", json=label).status_code == 202
        stack.servers["postgres"].stop()
        with asking(stack):
            for name in REPLICAS:
                until(lambda name=name: "keys" in stack.health(name)["faults"], f"{name} says so")
            kept = client.post("/v1/tasks/spam/feedback", json=label)
            assert (kept.status_code, kept.json()["error"]["code"]) == (503, "feedback_not_kept")
        stack.start("postgres")
        until(
            lambda: client.post("/v1/tasks/spam/feedback", json=label).status_code == 202, "feedback is kept"
        )


def ups(stack: Stack) -> dict[str, str]:
    """Return what Prometheus says of each replica: 1 while it answers."""
    address = f"http://{stack.places.at('prometheus')}/api/v1"
    found = httpx.get(f"{address}/query", params={"query": 'up{job="assay"}'}).json()["data"]["result"]
    return {each["metric"]["instance"]: each["value"][1] for each in found}


def test_prometheus_watches_both_replicas_by_its_own_key(stack: Stack) -> None:
    one, other = (stack.places.at(name) for name in REPLICAS)
    until(lambda: ups(stack) == {one: "1", other: "1"}, "both are up")
    address = f"http://{stack.places.at('prometheus')}/api/v1"
    rules = httpx.get(f"{address}/rules").json()["data"]["groups"]
    assert {each["name"] for each in rules} >= {"assay-service", "assay-versions"}
    stack.servers["api-2"].kill()
    until(lambda: ups(stack) == {one: "1", other: "0"}, "one is down")
    stack.start("api-2")
    until(lambda: ups(stack) == {one: "1", other: "1"}, "both are up again")

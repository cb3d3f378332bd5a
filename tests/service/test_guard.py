"""The guard: who may call what, how often, and what who may not is told."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.access import (
    Access,
    Caller,
    LocalCounting,
    Rate,
    decide_policy,
)
from assay.notation import networks
from assay.service import Models, create_app
from assay.service.guard import scope_needed
from assay.telemetry import Counters
from tests.access.counters import SECOND, Ticks
from tests.contracts.test_error_shape import check_shape
from tests.service.callers import Book, Log

TEXT = {"text": "free prize"}
SCOPES = ("predict", "batch", "feedback", "admin")
EVERYBODY = decide_policy("0.0.0.0", require_keys=False, insecure=False)
LOOPBACK = decide_policy("127.0.0.1", require_keys=False, insecure=False)
INSECURE = decide_policy("0.0.0.0", require_keys=False, insecure=True)


@pytest.fixture
def ticks() -> Ticks:
    """The clock of the rates."""
    return Ticks()


@pytest.fixture
def book() -> Book:
    """Callers with one scope each, and one with a rate of its own."""
    named = {scope: Caller(f"key:{scope}", scope, frozenset([scope])) for scope in SCOPES}
    return Book({**named, "slow": Caller("key:slow", "slow", frozenset(["predict"]), Rate(2, 60))})


@pytest.fixture
def log() -> Log:
    """What was logged."""
    return Log()


@pytest.fixture
def access(book: Book, ticks: Ticks) -> Access:
    """Everybody is asked for a key; no rates but that of one key."""
    counting = LocalCounting(clock=ticks)
    return Access(policy=EVERYBODY, authenticator=book, counting=counting, failures=counting)


@pytest.fixture
def enter(models: Models, log: Log) -> Callable[..., TestClient]:
    """The way to a client of the service under some access."""
    return lambda access, **options: TestClient(
        create_app(models, metrics=Counters(), access=access, log=log), **options
    )


@pytest.fixture
def client(access: Access, enter: Callable[..., TestClient]) -> TestClient:
    """A client of the service that asks everybody for a key."""
    return enter(access)


def bearer(name: str) -> dict[str, str]:
    """Return the header with a key."""
    return {"Authorization": f"Bearer {name}"}


NEEDED: dict[str | None, list[str]] = {
    "predict": [
        *("/predict", "/predict/batch", "/batch_predict", "/v1/comments:analyze", "/v1/tasks/spam/predict"),
        *("/v1/tasks/spam/versions/3/predict/batch", "/v1/tasks/x/batch_predict"),
    ],
    "batch": ["/batch", "/v1/tasks/spam/batch", "/v1/tasks/spam/versions/3/batch"],
    "feedback": ["/feedback", "/v1/tasks/spam/feedback"],
    "admin": ["/v1/admin", "/v1/admin/refresh", "/v1/admin/", "/v1/admin/anything/else"],
    "any": [
        *("/health", "/metrics", "/nothing", "/v1/tasks", "/predict/", "/predict/batch/x", "//predict"),
        *("/PREDICT", "/v1/tasks/a/b/predict", "/v1/administer", "/docs/x", "/openapi.json/", ""),
    ],
    None: [
        *("/", "/docs", "/openapi.json", "/health/live", "/health/ready"),
        "/static-offline-docs/swagger-ui.css",
    ],
}


@pytest.mark.parametrize(("scope", "path"), [(scope, path) for scope in NEEDED for path in NEEDED[scope]])
def test_every_path_needs_its_scope_and_what_is_not_listed_any_key(scope: str | None, path: str) -> None:
    assert scope_needed("POST", path) == scope
    assert scope_needed("OPTIONS", path) is None


@pytest.mark.parametrize("path", ["/batch%0A", "/batch"])
def test_a_line_feed_behind_a_path_opens_nothing(client: TestClient, path: str) -> None:
    assert client.post(path, headers=bearer("predict")).status_code == 403


def test_every_call_that_openapi_knows_is_closed_or_open_on_purpose(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    opened = {path for path in app.openapi()["paths"] if scope_needed("POST", path) is None}
    assert opened == {"/", "/health/live", "/health/ready"}
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            answer = client.request(method, path.replace("{task}", "spam").replace("{version}", "1"))
            assert (answer.status_code == 401) == (path not in opened), path


@pytest.mark.parametrize(
    "headers", [bearer("predict"), {"Authorization": "bearer  predict"}, {"X-API-Key": "predict"}]
)
def test_a_key_opens_what_it_may(client: TestClient, log: Log, headers: dict[str, str]) -> None:
    assert client.post("/predict", json=TEXT, headers=headers).status_code == 200
    assert (log.written[-1].key, log.written[-1].code) == ("predict", "")


def test_without_a_key_the_way_to_send_one_is_told(client: TestClient, log: Log) -> None:
    for headers in (
        {},
        {"Authorization": "Basic cHJlZGljdA=="},
        {"Authorization": "Bearer "},
        {"X-API-Key": ""},
    ):
        answer = client.post("/predict", json=TEXT, headers=headers)
        error = check_shape(answer, 401)
        assert error["code"] == "unauthorized"
        assert "Authorization: Bearer KEY" in error["message"]
        assert answer.headers["www-authenticate"] == 'Bearer realm="assay"'
    assert (log.written[-1].key, log.written[-1].code) == ("", "unauthorized")


def test_a_key_in_the_address_is_for_perspective_s_clients_alone(client: TestClient, log: Log) -> None:
    assert client.post("/predict?key=predict", json=TEXT).status_code == 401
    assert client.post("/v1/comments:analyze?key=predict", json=TEXT).status_code != 401
    assert not any("?" in each.path for each in log.written)


def test_a_wrong_key_is_told_nothing_but_that(client: TestClient) -> None:
    answer = client.post("/predict", json=TEXT, headers=bearer("x"))
    assert check_shape(answer, 401)["message"].startswith("The key is unknown, was revoked or has expired.")
    assert answer.headers["www-authenticate"] == 'Bearer realm="assay", error="invalid_token"'


def test_a_scope_that_is_missing_is_named(client: TestClient) -> None:
    answer = client.post("/batch", content=b"", headers=bearer("predict"))
    error = check_shape(answer, 403)
    assert (error["code"], "the scope 'batch'" in error["message"]) == ("forbidden", True)
    assert answer.headers["www-authenticate"].endswith('error="insufficient_scope", scope="batch"')
    assert client.get("/health", headers=bearer("feedback")).status_code == 200


def test_head_needs_the_key_that_get_needs(client: TestClient) -> None:
    answer = client.head("/metrics")
    assert (answer.status_code, answer.content) == (401, b"")
    assert client.head("/health/live").status_code == 200


def test_a_body_is_not_read_from_who_may_not_send_it(client: TestClient) -> None:
    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/batch", "headers": [], "query_string": b""}
    asyncio.run(client.app({**scope, "client": ("192.0.2.1", 1), "server": None}, receive, send))
    assert sent[0]["status"] == 401


def test_a_key_is_held_to_its_own_rate(client: TestClient, ticks: Ticks, log: Log) -> None:
    left = [client.post("/predict", json=TEXT, headers=bearer("slow")) for _ in range(3)]
    assert [each.status_code for each in left] == [200, 200, 429]
    assert [each.headers["ratelimit-remaining"] for each in left] == ["1", "0", "0"]
    assert [each.headers["ratelimit-limit"] for each in left] == ["2"] * 3
    assert [each.headers["ratelimit-reset"] for each in left] == ["30", "60", "60"]
    assert [each.headers.get("retry-after") for each in left] == [None, None, "30"]
    assert check_shape(left[2], 429)["code"] == "rate_limited"
    assert (log.written[-1].key, log.written[-1].code) == ("slow", "rate_limited")
    metrics = client.get("/metrics", headers=bearer("predict")).text
    assert 'assay_rejected_total{reason="rate_limited"} 1.0' in metrics
    assert client.post("/predict", json=TEXT, headers=bearer("predict")).status_code == 200
    ticks.now += 30 * SECOND
    assert client.post("/predict", json=TEXT, headers=bearer("slow")).status_code == 200


def test_a_key_without_a_rate_has_that_of_the_service(
    access: Access, enter: Callable[..., TestClient]
) -> None:
    client = enter(replace(access, per_key=Rate(1, 60)))
    codes = [client.post("/predict", json=TEXT, headers=bearer("predict")).status_code for _ in range(2)]
    assert codes == [200, 429]
    assert client.post("/predict", json=TEXT, headers=bearer("slow")).headers["ratelimit-limit"] == "2"


def test_without_keys_requests_are_counted_by_address(
    access: Access, enter: Callable[..., TestClient]
) -> None:
    open_ = replace(access, policy=LOOPBACK, authenticator=None, per_address=Rate(1, 60))
    first, second = (enter(open_, client=(f"192.0.2.{n}", 1)) for n in (1, 2))
    assert [each.post("/predict", json=TEXT).status_code for each in (first, second, first)] == [
        200,
        200,
        429,
    ]


def test_what_watches_the_service_is_answered_however_often(
    access: Access, enter: Callable[..., TestClient]
) -> None:
    client = enter(replace(access, policy=LOOPBACK, authenticator=None, per_address=Rate(1, 86_400)))
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        assert [client.get(path).status_code for _ in range(3)] == [200] * 3


def test_who_tries_keys_is_soon_not_listened_to(client: TestClient, book: Book, ticks: Ticks) -> None:
    codes = [client.post("/predict", json=TEXT, headers=bearer(f"guess{n}")).status_code for n in range(12)]
    assert codes == [401] * 10 + [429] * 2
    looked = book.asked
    answer = client.post("/predict", json=TEXT, headers=bearer("predict"))
    error = check_shape(answer, 429)
    assert (error["code"], book.asked) == ("too_many_failed_keys", looked)
    assert answer.headers["retry-after"] == "6"
    assert client.get("/health/live").status_code == 200
    ticks.now += 6 * SECOND
    assert client.post("/predict", json=TEXT, headers=bearer("predict")).status_code == 200


def test_other_addresses_do_not_pay_for_who_tries_keys(
    access: Access, enter: Callable[..., TestClient]
) -> None:
    bad, good = (enter(access, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    for n in range(20):
        bad.post("/predict", json=TEXT, headers=bearer(f"guess{n}"))
    assert good.post("/predict", json=TEXT, headers=bearer("predict")).status_code == 200
    near, far = (enter(access, client=(f"2001:db8::{n}", 1)) for n in (1, 2))
    for n in range(10):
        near.post("/predict", json=TEXT, headers=bearer(f"guess{n}"))
    assert far.post("/predict", json=TEXT, headers=bearer("predict")).status_code == 429


def test_no_open_door_tells_whether_a_key_is_valid(
    access: Access, book: Book, enter: Callable[..., TestClient]
) -> None:
    client = enter(access)
    for path in ("/", "/health/live", "/openapi.json"):
        client.get(path, headers=bearer("slow"))
    assert book.asked == 0
    insecure = enter(replace(access, policy=INSECURE))
    for n in range(15):
        assert insecure.post("/predict", json=TEXT, headers=bearer(f"guess{n}")).status_code == 200
    assert book.asked == 10


def test_a_client_cannot_say_where_it_comes_from(
    access: Access, log: Log, enter: Callable[..., TestClient]
) -> None:
    limited = replace(access, policy=LOOPBACK, authenticator=None, per_address=Rate(1, 60))
    client = enter(limited, client=("203.0.113.9", 1))
    codes = [
        client.post("/predict", json=TEXT, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(2)
    ]
    assert codes == [200, 429]
    assert {each.address for each in log.written} == {"203.0.113.9"}


def test_a_trusted_proxy_can(access: Access, log: Log, enter: Callable[..., TestClient]) -> None:
    limited = replace(
        access,
        policy=LOOPBACK,
        authenticator=None,
        per_address=Rate(1, 60),
        proxies=networks("10.0.0.0/8"),
    )
    client = enter(limited, client=("10.0.0.1", 1))
    said = ["198.51.100.1", "evil, 198.51.100.2", "198.51.100.7, 198.51.100.1"]
    codes = [
        client.post("/predict", json=TEXT, headers={"X-Forwarded-For": each}).status_code for each in said
    ]
    assert codes == [200, 200, 429]
    assert [each.address for each in log.written] == ["198.51.100.1", "198.51.100.2", "198.51.100.1"]
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.3"}
    moved = client.post("/predict/", json=TEXT, headers=told, follow_redirects=False)
    assert moved.headers["location"].startswith("https://")
    told = {"X-Forwarded-Proto": "javascript", "X-Forwarded-For": "198.51.100.4"}
    moved = client.post("/predict/", json=TEXT, headers=told, follow_redirects=False)
    assert moved.headers["location"].startswith("http://")


def test_insecure_opens_all_but_administration(access: Access, enter: Callable[..., TestClient]) -> None:
    client = enter(replace(access, policy=INSECURE))
    assert client.post("/predict", json=TEXT).status_code == 200
    assert client.post("/v1/admin/refresh").status_code == 401
    assert client.post("/v1/admin/refresh", headers=bearer("predict")).status_code == 403
    assert client.post("/v1/admin/refresh", headers=bearer("admin")).status_code not in (401, 403)


def test_keys_that_could_never_be_read_let_nobody_in(client: TestClient, book: Book) -> None:
    book.ready, book.fault = False, "sqlite:///... cannot be read."
    answer = client.post("/predict", json=TEXT, headers=bearer("predict"))
    error = check_shape(answer, 503)
    assert (error["code"], answer.headers["retry-after"]) == ("not_ready", "1")
    assert "secret/path" not in error["message"]
    assert check_shape(client.get("/health/ready"), 503)["code"] == "not_ready"
    assert client.get("/health/live").status_code == 200


def test_what_is_amiss_is_in_health(client: TestClient, book: Book) -> None:
    assert client.get("/health", headers=bearer("predict")).json()["faults"] == {}
    book.fault = "The keys are old."
    health = client.get("/health", headers=bearer("predict")).json()
    assert (health["status"], health["faults"]) == ("degraded", {"keys": "The keys are old."})


def test_an_address_that_the_settings_do_not_name_is_closed(
    access: Access, models: Models, serve: Callable[[FastAPI], AbstractContextManager[str]]
) -> None:
    app = create_app(models, metrics=Counters(), access=replace(access, policy=LOOPBACK, authenticator=None))
    with serve(app) as address:
        assert httpx.post(f"{address}/predict", json=TEXT).status_code == 200
    for server, status in ((("192.0.2.1", 8000), 503), (("::1", 8000), 200), (None, 200)):
        assert asgi_status(app, server) == status


def asgi_status(app: Any, server: Sequence[Any] | None) -> int:
    """Return the status that a request to an address of the service gets."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(TEXT).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/predict", "query_string": b"", "scheme": "http",
        "headers": [(b"content-type", b"application/json")], "client": ("192.0.2.7", 1), "server": server,
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("key", ["é", "\x00", "x" * 5_000, "a, b", "assay_00000000_" + "\xff" * 43])
def test_any_bytes_may_come_as_a_key(models: Models, access: Access, key: str) -> None:
    client = TestClient(create_app(models, metrics=Counters(), access=access))
    for headers in (
        {"X-API-Key": key.encode("latin-1")},
        {"Authorization": f"Bearer {key}".encode("latin-1")},
    ):
        assert client.post("/predict", json=TEXT, headers=headers).status_code == 401


def test_the_description_names_what_each_call_needs(
    client: TestClient, enter: Callable[..., TestClient]
) -> None:
    schema = client.get("/openapi.json").json()
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "key"}
    security = {path: next(iter(calls.values())).get("security") for path, calls in schema["paths"].items()}
    assert security["/v1/tasks/{task}/predict"] == [{"key": ["predict"]}, {"bearer": ["predict"]}]
    assert security["/v1/admin/refresh"][0] == {"key": ["admin"]}
    assert (security["/health"][0], security["/health/live"]) == ({"key": []}, [])
    unasked = enter(Access(policy=LOOPBACK)).get("/openapi.json").json()
    assert unasked["paths"]["/predict"]["post"]["security"][-1] == {}

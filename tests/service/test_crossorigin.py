"""Pages of other origins: only those of the setting, and never with what a browser adds by itself."""

import pytest
from starlette.testclient import TestClient

from assay.service import Models, create_app
from assay.telemetry import Counters

PAGE = "https://app.example.org"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, x-api-key, authorization, content-encoding",
}


def client_for(models: Models, *origins: str) -> TestClient:
    """Return a client of a service that pages of these origins may call."""
    return TestClient(create_app(models, metrics=Counters(), origins=origins))


def test_without_the_setting_no_page_of_another_origin_may_call(client: TestClient) -> None:
    for answer in (
        client.options("/predict", headers=PREFLIGHT),
        client.get("/health", headers={"Origin": PAGE}),
    ):
        assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_a_named_origin_may_ask_and_read(models: Models) -> None:
    client = client_for(models, PAGE, "https://other.example")
    allowed = client.options("/predict", headers=PREFLIGHT)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "POST" in allowed.headers["access-control-allow-methods"]
    answer = client.post("/predict", json={"text": "fine"}, headers={"Origin": PAGE})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "Origin" in answer.headers["vary"]
    for name in ("X-Request-ID", "Retry-After", "RateLimit-Remaining"):
        assert name in answer.headers["access-control-expose-headers"]


def test_an_error_can_be_read_by_a_page_too(models: Models) -> None:
    answer = client_for(models, PAGE).post("/predict", json={}, headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (422, PAGE)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{PAGE}.evil.example", "http://app.example.org"]
)
def test_another_origin_may_not(models: Models, origin: str) -> None:
    client = client_for(models, PAGE)
    refused = client.options("/predict", headers={**PREFLIGHT, "Origin": origin})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "cross_origin")
    assert refused.json()["error"]["request_id"] == refused.headers["x-request-id"]
    assert "access-control-allow-origin" not in refused.headers
    answer = client.get("/health", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_a_header_or_method_that_is_not_taken_is_refused_by_name(models: Models) -> None:
    client = client_for(models, PAGE)
    for name, value in (("Headers", "x-evil"), ("Method", "PATCH")):
        refused = client.options("/predict", headers={**PREFLIGHT, f"Access-Control-Request-{name}": value})
        assert (refused.status_code, value in refused.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("origins", [(PAGE,), ("*",)])
def test_credentials_of_the_browser_are_never_allowed(models: Models, origins: tuple[str, ...]) -> None:
    client = client_for(models, *origins)
    for answer in (
        client.options("/predict", headers=PREFLIGHT),
        client.get("/health", headers={"Origin": PAGE}),
    ):
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["access-control-allow-origin"] in (PAGE, "*")


def test_options_that_is_no_preflight_tells_the_methods(models: Models) -> None:
    answer = client_for(models, "*").options("/predict", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")

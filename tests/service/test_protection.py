"""Security headers, and the methods that every path has."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/health", 200),
    ("GET", "/metrics", 200),
    ("GET", "/nowhere", 404),
    ("DELETE", "/predict", 405),
    ("OPTIONS", "/predict", 204),
    ("POST", "/predict", 400),
    ("HEAD", "/health", 200),
    ("GET", "/static-offline-docs/swagger-ui.css", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_is_protected(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    kept = "static" in path
    assert answer.headers["cache-control"] == ("no-cache" if kept else "no-store")
    assert "strict-transport-security" not in answer.headers
    assert len([name for name in answer.headers if name in ALWAYS]) == len(ALWAYS)


def test_a_failure_is_protected_too(app: FastAPI, client: TestClient) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    answer = client.get("/broken")
    assert answer.status_code == 500
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


def test_decisions_are_kept_by_no_cache(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "fine"}).headers["cache-control"] == "no-store"


def test_the_page_keeps_the_policy_of_its_own(client: TestClient) -> None:
    headers = client.get("/", headers={"Accept": "text/html"}).headers
    assert "sha256-" in headers["content-security-policy"]
    assert headers.get_list("content-security-policy") == [headers["content-security-policy"]]
    assert headers["cache-control"] == "no-cache"


def test_https_is_asked_for_where_it_is_spoken(app: FastAPI) -> None:
    answer = TestClient(app, base_url="https://assay.example").get("/health")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/static-offline-docs/swagger-ui.css", "GET, HEAD, OPTIONS"),
        ("/predict", "OPTIONS, POST"),
        ("/v1/tasks/spam/predict", "OPTIONS, POST"),
        ("/v1/comments:analyze", "OPTIONS, POST"),
    ],
)
def test_options_tells_what_a_path_has(client: TestClient, path: str, allowed: str) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allowed, b"")
    refused = client.request("PATCH", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
    assert refused.json()["error"]["code"] == "method_not_allowed"


def test_methods_of_several_routes_of_one_path_are_told_together(app: FastAPI, client: TestClient) -> None:
    @app.get("/both")
    async def read() -> str:
        return "read"

    @app.delete("/both")
    async def remove() -> str:
        return "removed"

    assert client.options("/both").headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert client.post("/both").headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_head_of_what_only_takes_posts_is_405(client: TestClient) -> None:
    answer = client.head("/predict")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "OPTIONS, POST", b"")


def test_options_of_nothing_is_404(client: TestClient) -> None:
    assert client.options("/nowhere").status_code == 404

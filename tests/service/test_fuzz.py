"""Whatever is sent, the service answers in its own words and never fails."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_TEXT = st.text(st.characters(), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(["text", "texts", "subject"]) | ANY_TEXT
BODIES = VALUES | st.dictionaries(FIELDS, VALUES | st.lists(ANY_TEXT, max_size=4), max_size=4)
PATHS = st.sampled_from(["/predict", "/predict/batch", "/batch_predict", "/v1/tasks/spam/predict"])


def check(client: TestClient, path: str, body: bytes) -> None:
    """Send a body; require decisions, or an error in the one shape that says something."""
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    content: Any = answer.json()
    assert answer.status_code in (200, 400, 422)
    if answer.status_code != 200:
        assert set(content["error"]) == {"code", "message", "detail", "request_id"}
        assert content["error"]["message"]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_json_body_breaks_the_service(client: TestClient, ascii_only: bool) -> None:
    @QUICK
    @given(path=PATHS, body=BODIES)
    def send(path: str, body: Any) -> None:
        raw = json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        check(client, path, raw)

    send()


def test_no_bytes_break_the_service(client: TestClient) -> None:
    @QUICK
    @given(path=PATHS, body=st.binary(max_size=60))
    def send(path: str, body: bytes) -> None:
        check(client, path, body)

    send()


def test_every_valid_text_is_decided(client: TestClient) -> None:
    texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)

    @QUICK
    @given(text=texts)
    def send(text: str) -> None:
        assert client.post("/v1/tasks/spam/predict", json={"text": text}).status_code == 200

    send()

"""Clients of the Perspective API get decisions in the shape that they know."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assay.config import MAX_TEXT_BYTES
from assay.estimators import Cascade
from assay.service import Missing, Models, Served, create_app
from assay.telemetry import Counters

ANALYZE = "/v1/comments:analyze"
TEXT = "free prize, call now"


def body(text: str = TEXT, *attributes: str, **more: Any) -> dict[str, Any]:
    """Return a request as a client of the Perspective API writes it."""
    return {
        "comment": {"text": text},
        "requestedAttributes": {name: {} for name in attributes or ("SPAM",)},
        **more,
    }


@pytest.fixture
def ruled(ruled_cascade: Cascade) -> TestClient:
    """A client of a service whose task has rules."""
    models = Models()
    models.serve(Served(cascade=ruled_cascade.at_version("1")))
    return TestClient(create_app(models, metrics=Counters(), attributes={"TOXICITY": "spam"}))


def test_the_answer_has_the_shape_of_the_perspective_api(client: TestClient) -> None:
    asked = body(
        languages=["en", "de"],
        doNotStore=True,
        clientToken="token-7",
        sessionId="s",
        communityId="c",
        spanAnnotations=True,
        context={"entries": [{"text": "before"}]},
    )
    asked["comment"]["type"] = "PLAIN_TEXT"
    answer = client.post(ANALYZE, json=asked)
    assert answer.status_code == 200
    value = client.post("/v1/tasks/spam/predict", json={"text": TEXT}).json()["score"]
    score = {"value": value, "type": "PROBABILITY"}
    assert answer.json() == {
        "attributeScores": {
            "SPAM": {"spanScores": [{"begin": 0, "end": len(TEXT), "score": score}], "summaryScore": score}
        },
        "languages": ["en", "de"],
        "clientToken": "token-7",
    }


def test_what_was_not_sent_is_not_sent_back(client: TestClient) -> None:
    assert set(client.post(ANALYZE, json=body()).json()) == {"attributeScores", "languages"}


def test_every_value_is_the_score_of_predict(client: TestClient) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
    def same(text: str) -> None:
        answer = client.post(ANALYZE, json=body(text, "SPAM", "SENTIMENT", "ABUSE")).json()
        for task in ("spam", "sentiment", "abuse"):
            decision = client.post(f"/v1/tasks/{task}/predict", json={"text": text}).json()
            assert answer["attributeScores"][task.upper()]["summaryScore"]["value"] == decision["score"]

    same()


def test_where_a_rule_decides_the_value_is_what_is_known_of_the_rule(ruled: TestClient) -> None:
    seen = set()
    for text in (
        TEXT,
        "claim your prize at http://win.example",
        "see you at lunch",
        "unsubscribe me",
        "ring 08712",
    ):
        decision = ruled.post("/predict", json={"text": text}).json()
        found = ruled.post(ANALYZE, json=body(text, "SPAM", "TOXICITY")).json()["attributeScores"]
        assert found["SPAM"] == found["TOXICITY"]
        expected = decision["score"]
        if decision["decided_by"] == "rule":
            confidence = decision["confidence"]
            expected = confidence if decision["label"] == "spam" else 1 - confidence
        assert found["SPAM"]["summaryScore"]["value"] == expected
        seen.add(decision["decided_by"])
    assert seen == {"rule", "model"}


def test_a_rule_for_the_other_label_leaves_the_rest_of_its_confidence() -> None:
    from assay.estimators import Decision
    from assay.service.perspective import probability_of

    parts: dict[str, Any] = {"task": "spam", "confidence": 0.98, "score": None, "threshold": 0.5}
    parts |= {"decided_by": "rule", "rule": "r", "model": "M", "version": "1"}
    assert probability_of(Decision(label="spam", **parts), "spam") == 0.98
    assert probability_of(Decision(label="ham", **parts), "spam") == pytest.approx(0.02)


def test_scores_below_their_threshold_are_left_out(client: TestClient) -> None:
    asked = body(TEXT, "SPAM", "SENTIMENT")
    value = client.post(ANALYZE, json=asked).json()["attributeScores"]["SPAM"]["summaryScore"]["value"]
    for threshold, there in ((value, True), (0, True), (1, value == 1)):
        asked["requestedAttributes"]["SPAM"] = {"scoreThreshold": threshold, "scoreType": "PROBABILITY"}
        found = client.post(ANALYZE, json=asked).json()["attributeScores"]
        assert ("SPAM" in found, "SENTIMENT" in found) == (there, True)


@pytest.mark.parametrize(
    ("change", "field", "part"),
    [
        ({"comment": {}}, "comment.text", "required"),
        ({"comment": {"text": " "}}, "comment.text", "empty"),
        ({"comment": {"text": 7}}, "comment.text", "in quotes"),
        ({"comment": {"text": "é" * MAX_TEXT_BYTES}}, "comment.text", "bytes"),
        ({"comment": {"text": "x", "type": "HTML"}}, "comment.type", "PLAIN_TEXT"),
        ({"requestedAttributes": {}}, "requestedAttributes", "at least 1"),
        ({"requestedAttributes": {"TOXICITY": {}}}, "requestedAttributes.TOXICITY", "'SENTIMENT', 'SPAM'"),
        ({"requestedAttributes": {"spam": {}}}, "requestedAttributes.spam", "no such attribute"),
        (
            {"requestedAttributes": {"SPAM": {"scoreThreshold": 2}}},
            "requestedAttributes.SPAM.scoreThreshold",
            "1",
        ),
        ({"requestedAttributes": ["SPAM"]}, "requestedAttributes", ""),
        ({"languages": "en"}, "languages", ""),
        ({"surprise": 1}, "surprise", "does not exist"),
    ],
)
def test_a_wrong_request_is_refused_in_our_shape(
    client: TestClient, change: dict[str, Any], field: str, part: str
) -> None:
    answer = client.post(ANALYZE, json={**body(), **change})
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["detail"][0]["field"] == field
    assert part in error["message"]


def test_a_task_without_a_model_is_503_and_says_why(models: Models) -> None:
    models.refuse("toxic", Missing(reason="its artifact is damaged"))
    client = TestClient(
        create_app(models, metrics=Counters(), attributes={"TOXICITY": "toxic", "RUDE": "none"})
    )
    for attribute in ("TOXIC", "TOXICITY"):
        answer = client.post(ANALYZE, json=body(TEXT, attribute))
        assert answer.status_code == 503
        assert "damaged" in answer.json()["error"]["message"]
    assert client.post(ANALYZE, json=body(TEXT, "RUDE")).status_code == 404


def test_two_attributes_of_one_task_are_one_decision(ruled: TestClient) -> None:
    ruled.post(ANALYZE, json=body("see you at lunch", "SPAM", "TOXICITY"))
    assert ruled.get("/health").json()["statistics"]["decisions"] == 1
    assert 'task="spam"' in ruled.get("/metrics").text

"""What each call answers."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from assay.config import MAX_TEXT_BYTES
from assay.estimators import Cascade
from assay.service import Models, Served, create_app
from assay.service.limits import INLINE_TEXTS, Limits
from assay.telemetry import Counters

KEYS = "id task label confidence score threshold decided_by rule review model version".split()
TEXTS = ["a wonderful film", "dull and boring", "naïve café 日本語", "x\x00y"]
PREFIXES = ["", "/v1/tasks/sentiment"]


def bare(decision: dict[str, Any]) -> dict[str, Any]:
    """Return a decision without what is fresh in each."""
    return {key: value for key, value in decision.items() if key != "id"}


def test_predict_answers_one_text_with_the_contracts_keys(client: TestClient) -> None:
    decision = client.post("/v1/tasks/spam/predict", json={"text": "free prize, call now"}).json()
    assert list(decision) == KEYS
    assert (decision["task"], decision["label"], decision["version"]) == ("spam", "spam", "1")
    assert decision["score"] >= decision["threshold"]


def test_predict_answers_as_the_cascade_itself(client: TestClient, sentiment_cascade: Cascade) -> None:
    answers = client.post("/predict", json={"texts": TEXTS}).json()["predictions"]
    expected = [decision.to_dict() for decision in sentiment_cascade.at_version("2").decide(TEXTS)]
    assert [bare(answer) for answer in answers] == [bare(answer) for answer in expected]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_form_gives_the_same_decisions_in_order(client: TestClient, prefix: str) -> None:
    one_by_one = [client.post(f"{prefix}/predict", json={"text": text}).json() for text in TEXTS]
    forms = [
        client.post(f"{prefix}/predict", json={"texts": TEXTS}).json()["predictions"],
        client.post(f"{prefix}/predict/batch", json={"texts": TEXTS}).json()["predictions"],
        client.post(f"{prefix}/batch_predict", json={"texts": TEXTS}).json(),
    ]
    for form in forms:
        assert [bare(answer) for answer in form] == [bare(answer) for answer in one_by_one]


def test_many_texts_keep_their_order_in_a_thread(client: TestClient) -> None:
    texts = (TEXTS * Limits.max_texts)[: Limits.max_texts]
    assert len(texts) > INLINE_TEXTS
    answers = client.post("/batch_predict", json={"texts": texts}).json()
    few = client.post("/batch_predict", json={"texts": TEXTS}).json()
    assert [bare(answer) for answer in answers[: len(few)]] == [bare(answer) for answer in few]
    assert len({answer["id"] for answer in answers}) == Limits.max_texts


def test_the_task_sentiment_also_says_sentiment(client: TestClient) -> None:
    decision = client.post("/predict", json={"text": "a wonderful film"}).json()
    assert decision["sentiment"] == decision["label"] == "positive"


def test_more_than_two_labels_have_scores_and_no_threshold(client: TestClient) -> None:
    decision = client.post("/v1/tasks/abuse/predict", json={"text": "you there"}).json()
    assert set(decision["scores"]) == {"neither", "offensive_language", "hate_speech"}
    assert sum(decision["scores"].values()) == pytest.approx(1)
    assert decision["threshold"] is None


def test_a_subject_is_taken(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "fine", "subject": "user-7"}).status_code == 200


def test_a_text_of_the_longest_length_is_decided(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "a" * MAX_TEXT_BYTES}).status_code == 200


def test_an_unknown_task_is_404_and_lists_the_tasks(client: TestClient) -> None:
    answer = client.post("/v1/tasks/nope/predict", json={"text": "x"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_task"
    assert "['abuse', 'sentiment', 'spam']" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/predict", "/v1/tasks/spam/predict"])
def test_without_a_model_predict_is_503_and_says_how_to_train(bare_client: TestClient, path: str) -> None:
    answer = bare_client.post(path, json={"text": "x"})
    assert answer.status_code == 503
    assert "assay train" in answer.json()["error"]["message"]


def test_ready_is_503_without_a_model_while_live_is_200(bare_client: TestClient) -> None:
    ready = bare_client.get("/health/ready")
    assert ready.status_code == 503
    assert "assay train" in ready.json()["error"]["message"]
    assert bare_client.get("/health/live").status_code == 200
    assert bare_client.get("/health").json()["status"] == "degraded"


def test_health_says_which_version_answers(client: TestClient) -> None:
    health = client.get("/health").json()
    spam = health["tasks"]["spam"]
    assert (health["status"], health["default_task"]) == ("ok", "sentiment")
    assert (spam["model"], spam["version"], spam["stage"]) == ("SpamClassifier", "1", "Production")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", spam["loaded_at"])
    assert client.get("/health/ready").status_code == 200


def test_health_counts_decisions_labels_and_confidence(client: TestClient) -> None:
    assert client.get("/health").json()["statistics"]["decisions"] == 0
    answers = client.post("/batch_predict", json={"texts": TEXTS[:3]}).json()
    client.post("/v1/tasks/spam/predict", json={"text": "lunch tomorrow?"})
    statistics = client.get("/health").json()["statistics"]
    tally = statistics["tasks"]["sentiment"]
    positives = sum(answer["label"] == "positive" for answer in answers)
    assert (statistics["decisions"], tally["decisions"]) == (4, 3)
    assert tally["labels"]["positive"] == positives
    assert tally["shares"]["positive"] == pytest.approx(positives / 3)
    assert tally["mean_confidence"] == pytest.approx(sum(answer["confidence"] for answer in answers) / 3)


def test_a_refused_request_counts_no_decision(client: TestClient) -> None:
    client.post("/predict", json={"texts": ["fine", " "]})
    assert client.get("/health").json()["statistics"]["decisions"] == 0


def test_index_names_tasks_and_every_endpoint(client: TestClient) -> None:
    index = client.get("/").json()
    assert (index["name"], index["tasks"]) == ("assay", ["abuse", "sentiment", "spam"])
    assert {"GET /health", "POST /predict", "POST /v1/tasks/{task}/predict/batch"} <= set(index["endpoints"])
    assert all(index["endpoints"].values())


def test_index_is_a_page_for_a_browser_only(client: TestClient) -> None:
    browser = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    other = client.get("/", headers={"Accept": "*/*"})
    assert browser.headers["content-type"].startswith("text/html")
    assert other.headers["content-type"] == "application/json"
    assert browser.headers["vary"] == other.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready", "/metrics", "/docs"])
def test_head_answers_as_get_without_a_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_metrics_show_requests_and_decisions(client: TestClient) -> None:
    client.post("/predict", json={"text": "a wonderful film"})
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    assert (
        'assay_requests_total{method="POST",route="/predict",status="200",task="sentiment"} 1.0'
        in metrics.text
    )
    assert (
        'assay_decisions_total{decided_by="model",label="positive",rule="",task="sentiment",version="2"} 1.0'
        in metrics.text
    )


def test_openapi_describes_both_forms_and_the_errors(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    operation = schema["paths"]["/v1/tasks/{task}/predict"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {"text", "texts", "subject"} == set(body["properties"])
    assert [parameter["name"] for parameter in operation["parameters"]] == ["task", "explain"]
    for status in ("400", "404", "413", "415", "422", "503"):
        reference = operation["responses"][status]["content"]["application/json"]["schema"]["$ref"]
        assert reference.endswith("/ErrorAnswer")


def test_answers_fit_the_schema_that_openapi_shows(client: TestClient) -> None:
    from assay.service import schemas

    schemas.Health.model_validate(client.get("/health").json(), strict=True, extra="forbid")
    schemas.Index.model_validate(client.get("/").json(), strict=True, extra="forbid")
    answer = client.post("/predict", json={"texts": TEXTS}).json()
    schemas.Predictions.model_validate(answer, strict=True, extra="forbid")
    error = client.post("/predict", json={}).json()
    schemas.ErrorAnswer.model_validate(error, strict=True, extra="forbid")


def test_the_default_task_is_the_setting(spam_cascade: Cascade, sentiment_cascade: Cascade) -> None:
    models = Models(default_task="spam")
    for cascade in (spam_cascade, sentiment_cascade):
        models.serve(Served(cascade=cascade))
    client = TestClient(create_app(models, metrics=Counters()))
    assert client.post("/predict", json={"text": "hello"}).json()["task"] == "spam"

"""``explain=true`` on every call."""

import pytest
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.service import Models, Served, create_app
from assay.telemetry import Counters

TEXTS = ["f.r.e.e offer", "urgent text, winner"]


@pytest.fixture
def client(ruled_cascade: Cascade) -> TestClient:
    """A client of a service whose task has rules."""
    models = Models()
    models.serve(Served(cascade=ruled_cascade, stage="Production"))
    return TestClient(create_app(models, metrics=Counters()))


def expected(cascade: Cascade) -> list[object]:
    """Return the explanations as JSON has them."""
    told = [each.explanation for each in cascade.decide(TEXTS, explain=True)]
    return [
        {
            **each.to_dict(),
            "rules": [{**rule.__dict__, "spans": [list(s) for s in rule.spans]} for rule in each.rules],
            "ngrams": [ngram.__dict__ for ngram in each.ngrams],
        }
        for each in told
        if each
    ]


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/batch_predict"])
@pytest.mark.parametrize("prefix", ["", "/v1/tasks/spam"])
def test_every_call_explains_when_asked(
    client: TestClient, ruled_cascade: Cascade, path: str, prefix: str
) -> None:
    answer = client.post(f"{prefix}{path}?explain=true", json={"texts": TEXTS}).json()
    decisions = answer if isinstance(answer, list) else answer["predictions"]
    assert [each["explanation"] for each in decisions] == expected(ruled_cascade)
    plain = client.post(f"{prefix}{path}", json={"texts": TEXTS}).json()
    decisions = plain if isinstance(plain, list) else plain["predictions"]
    assert all("explanation" not in each for each in decisions)


def test_one_text_is_explained(client: TestClient, ruled_cascade: Cascade) -> None:
    answers = [client.post("/predict?explain=true", json={"text": text}).json() for text in TEXTS]
    assert [each["explanation"] for each in answers] == expected(ruled_cascade)
    rule, model = answers
    assert (rule["rule"], rule["score"], rule["explanation"]["logit"]) == ("spelled-free", None, None)
    assert rule["explanation"]["rules"][0]["spans"] == [[0, 13]]
    told = model["explanation"]
    parts = [told["bias"], told["other"], *(each["weight"] for each in told["ngrams"] + told["rules"])]
    assert sum(parts) == pytest.approx(told["logit"], abs=1e-9)


def test_what_is_neither_true_nor_false_is_refused(client: TestClient) -> None:
    answer = client.post("/predict?explain=perhaps", json={"text": "x"})
    assert answer.status_code == 422
    [fault] = answer.json()["error"]["detail"]
    assert fault["field"] == "query.explain"

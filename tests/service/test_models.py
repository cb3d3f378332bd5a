"""What is served, what is missing, and which task is the default."""

import pytest

from assay.estimators import Cascade
from assay.exceptions import RequestRefused
from assay.service import Missing, Models, Served

BROKEN = Missing(reason="model.safetensors is damaged.", model="SentimentClassifier", version="4")


def status_of(models: Models, task: str | None) -> int:
    """Return the status with which a task is refused."""
    with pytest.raises(RequestRefused) as refused:
        models.get(task)
    return int(refused.value.data["status"])


def test_sentiment_is_the_default_when_it_is_served(
    spam_cascade: Cascade, sentiment_cascade: Cascade
) -> None:
    models = Models()
    models.serve(Served(cascade=spam_cascade))
    assert models.default_task == "spam"
    models.serve(Served(cascade=sentiment_cascade))
    assert models.default_task == "sentiment"
    assert models.get() is sentiment_cascade


def test_a_default_that_cannot_be_served_is_503_and_not_another_tasks_answer(spam_cascade: Cascade) -> None:
    models = Models()
    models.serve(Served(cascade=spam_cascade))
    models.refuse("sentiment", BROKEN)
    assert status_of(models, None) == 503
    assert models.get("spam") is spam_cascade


def test_a_default_task_that_nobody_knows_is_503(spam_cascade: Cascade) -> None:
    models = Models(default_task="toxicity")
    models.serve(Served(cascade=spam_cascade))
    assert status_of(models, None) == 503
    assert status_of(models, "toxicity") == 404


def test_a_missing_task_says_why(spam_cascade: Cascade) -> None:
    models = Models()
    models.serve(Served(cascade=spam_cascade))
    models.refuse("sentiment", BROKEN)
    with pytest.raises(RequestRefused, match=r"'sentiment' has no model. model.safetensors is damaged"):
        models.get("sentiment")
    assert not models.complete


def test_a_served_task_is_missing_no_longer(sentiment_cascade: Cascade) -> None:
    models = Models()
    models.refuse("sentiment", BROKEN)
    models.serve(Served(cascade=sentiment_cascade))
    assert models.complete
    assert models.missing == {}
    assert models.seat("sentiment").state()["reason"] is None


def test_without_models_the_reasons_and_the_command_are_given() -> None:
    models = Models()
    models.refuse("sentiment", BROKEN)
    with pytest.raises(RequestRefused, match=r"sentiment: model.safetensors is damaged.*assay train"):
        models.check_ready()
    assert models.missing["sentiment"].state()["version"] == "4"

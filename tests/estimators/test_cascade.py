"""A cascade decides at the served threshold, the same from every thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.estimators import Cascade, OperatingPoint
from assay.exceptions import DataError, TextError
from tests.corpus import SPAM_GROUPS, labelled
from tests.estimators.made_up import cascade_of, made


def at_threshold(threshold: float, positive: str = "spam") -> Cascade:
    """Return a cascade that gives ``free`` a score of about 0.73 and ``lunch`` one of about 0.27."""
    cascade = cascade_of(made({"free": [1.0], "lunch": [-1.0]}), positive=positive)
    point = OperatingPoint(threshold=threshold, goal="fixed")
    return Cascade(task=cascade.task, model=cascade.model, operating_point=point, version="3")


def test_a_decision_says_what_was_decided_and_by_what() -> None:
    [decision] = at_threshold(0.6).decide(["free"])
    assert decision.to_dict() == {
        "id": decision.id,
        "task": "trial",
        "label": "spam",
        "confidence": pytest.approx(0.7310585786),
        "score": pytest.approx(0.7310585786),
        "threshold": 0.6,
        "decided_by": "model",
        "rule": None,
        "review": False,
        "model": "TrialClassifier",
        "version": "3",
    }


def test_confidence_is_that_of_the_label_given() -> None:
    free, lunch = at_threshold(0.75).decide(["free", "lunch"])
    assert (free.label, free.score, free.confidence) == ("ham", 1 - free.confidence, pytest.approx(0.2689414))
    assert (lunch.label, lunch.confidence) == ("ham", pytest.approx(0.7310585786))


@pytest.mark.parametrize(
    ("threshold", "labels"),
    [(0.0, ["spam"] * 3), (0.5, ["spam", "ham", "spam"]), (0.9, ["ham"] * 3), (1.0, ["ham"] * 3)],
)
def test_the_threshold_decides_and_a_score_on_it_is_positive(threshold: float, labels: list[str]) -> None:
    cascade = at_threshold(threshold)
    texts = ["free", "lunch", "nothing known: exactly one half"]
    assert cascade.predict(texts) == labels
    assert [decision.label for decision in cascade.decide(texts)] == labels


def test_the_positive_label_may_come_first() -> None:
    cascade = at_threshold(0.7, positive="ham")
    assert cascade.predict(["free", "lunch", "nothing known"]) == ["spam", "ham", "spam"]
    assert cascade.decide(["lunch"])[0].score == pytest.approx(0.7310585786)


def test_accuracy_is_counted_at_the_served_threshold() -> None:
    texts, labels = ["free", "lunch", "free lunch"], ["spam", "ham", "spam"]
    assert at_threshold(0.5).score(texts, labels) == 1
    assert at_threshold(0.6).score(texts, labels) == pytest.approx(2 / 3)


def test_accuracy_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="no text to score"):
        at_threshold(0.5).score([], [])


def test_three_labels_have_scores_instead_of_a_threshold() -> None:
    cascade = cascade_of(made({"free": [0.0, 0.0, 2.0]}, link="softmax"))
    [decision] = cascade.decide(["free"])
    assert decision.scores is not None
    assert list(decision.scores) == list(cascade.labels)
    assert decision.label == cascade.labels[2]
    assert decision.threshold is None
    assert decision.confidence == decision.score == decision.scores[cascade.labels[2]]
    assert decision.to_dict()["scores"] == decision.scores


def test_the_task_sentiment_names_its_label_twice(sentiment_cascade: Cascade) -> None:
    answer = sentiment_cascade.decide(["a wonderful film"])[0].to_dict()
    assert answer["sentiment"] == answer["label"] == "positive"


def test_every_decision_has_an_id_of_its_own(spam_cascade: Cascade) -> None:
    ids = {decision.id for decision in spam_cascade.decide(["free"] * 500)}
    assert len(ids) == 500
    assert {len(each) for each in ids} == {32}


def test_a_version_is_put_on_a_copy(spam_cascade: Cascade) -> None:
    third = spam_cascade.at_version("3")
    assert (third.version, third.decide(["free"])[0].version) == ("3", "3")
    assert spam_cascade.decide(["free"])[0].version == ""
    assert third.digest == spam_cascade.digest


def test_one_text_without_a_list_is_refused(spam_cascade: Cascade) -> None:
    with pytest.raises(TextError, match=r"wrap it: decide\(\[text\]\)"):
        spam_cascade.decide("free prize")


def test_threads_share_a_cascade_and_get_the_same_answers(spam_cascade: Cascade) -> None:
    texts = labelled(SPAM_GROUPS, 100, seed=3)[0]
    alone = spam_cascade.predict_proba(texts).tolist()
    with ThreadPoolExecutor(8) as pool:
        for rows in pool.map(lambda _: spam_cascade.predict_proba(texts).tolist(), range(32)):
            assert rows == alone
        scores = pool.map(lambda text: spam_cascade.decide([text])[0].score, texts)
        assert list(scores) == [row[1] for row in alone]

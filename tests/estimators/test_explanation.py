import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets import Rows
from assay.estimators import NO_RULES, Cascade, train_cascade
from assay.estimators.explanation import MOST_NGRAMS, explain_text
from tests.conftest import QUIET, make_task
from tests.corpus import ABUSE_GROUPS, HAM, SPAM, SPAM_GROUPS, labelled
from tests.encoders import tiny_encoder

PIECES = st.sampled_from([*SPAM, *HAM, "FREE", "zzz", "!", "\n"])
WORDS = st.lists(PIECES, min_size=1, max_size=30).map(" ".join).filter(str.strip)


def check_sum(cascade: Cascade, text: str) -> None:
    """Check that what an explanation names adds up to the model's logit, seen from its label."""
    [decision] = cascade.decide([text], explain=True)
    told = decision.explanation
    assert told is not None
    if decision.decided_by == "rule":
        assert (told.logit, told.bias, told.ngrams) == (None, None, ())
        assert all(rule.weight is None for rule in told.rules)
        return
    hits = cascade.rules.hits([text])
    evidence = hits[:, len(cascade.rules.deciding) :] if cascade.rules.evidence else None
    logits = cascade.model.logits([text], evidence)[0]
    at = cascade.labels.index(told.label)
    expected = logits[at] if len(logits) > 1 else logits[0] * (1 if at == 1 else -1)
    weights = [told.bias, told.other, *(each.weight for each in told.ngrams)]
    weights += [rule.weight for rule in told.rules]
    assert sum(weights) == pytest.approx(expected, abs=1e-9)
    assert told.logit == pytest.approx(expected, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(text=WORDS | st.text(min_size=1).filter(lambda text: text.strip()))
def test_bias_and_contributions_add_up_to_the_logit(ruled_cascade: Cascade, text: str) -> None:
    check_sum(ruled_cascade, text)


@settings(max_examples=40, deadline=None)
@given(text=WORDS)
def test_they_do_with_more_labels_and_for_either_order_of_two(
    abuse_cascade: Cascade, flipped: Cascade, text: str
) -> None:
    check_sum(abuse_cascade, text)
    check_sum(flipped, text)


@pytest.fixture(scope="module")
def flipped() -> Cascade:
    """A cascade whose positive label is the first of two."""
    task = make_task("spam", ["spam", "ham"], positive="spam")
    return train_cascade(task, Rows(*labelled(SPAM_GROUPS, 80)), progress=QUIET)


def test_an_explanation_speaks_for_the_positive_of_two_labels_else_for_the_one_given(
    flipped: Cascade, abuse_cascade: Cascade
) -> None:
    told = [each.explanation for each in flipped.decide(["free prize", "lunch tomorrow"], explain=True)]
    assert [each.label for each in told if each] == ["spam", "spam"]
    first, second = (each.logit for each in told if each)
    assert first is not None
    assert second is not None
    assert first > 0 > second
    texts = labelled(ABUSE_GROUPS, 30, seed=5)[0]
    assert all(each.explanation.label == each.label for each in abuse_cascade.decide(texts, explain=True))


def test_a_rule_that_decided_is_told_with_its_place(ruled_cascade: Cascade) -> None:
    text = "zzz 1 F.R.E.E offer, urgent"
    [decision] = ruled_cascade.decide([text], explain=True)
    assert (decision.decided_by, decision.rule, decision.score) == ("rule", "spelled-free", None)
    assert decision.explanation
    told = {rule.id: [text[begin:end] for begin, end in rule.spans] for rule in decision.explanation.rules}
    assert told == {"spelled-free": ["F.R.E.E offer"], "urgent": ["urgent"]}


def test_evidence_is_told_with_its_weight(ruled_cascade: Cascade) -> None:
    [decision] = ruled_cascade.decide(["urgent zzz"], explain=True)
    assert decision.decided_by == "model"
    assert decision.explanation
    [rule] = decision.explanation.rules
    assert (rule.id, rule.action, rule.spans) == ("urgent", "evidence", ((0, 6),))
    assert rule.weight
    assert rule.weight > 0


def test_the_strongest_ngrams_come_first_and_the_rest_is_one_sum(ruled_cascade: Cascade) -> None:
    [decision] = ruled_cascade.decide(
        ["thanks, the bus and the train are late; text me at the meeting"], explain=True
    )
    told = decision.explanation
    assert told
    weights = [abs(each.weight) for each in told.ngrams]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) == MOST_NGRAMS
    assert told.other != 0
    assert {each.kind for each in told.ngrams} <= {"words", "char_wb"}


def test_an_explanation_changes_no_decision_and_is_asked_for(ruled_cascade: Cascade) -> None:
    texts = ["free prize", "lunch tomorrow", "F R E E mobile"]
    plain, explained = ruled_cascade.decide(texts), ruled_cascade.decide(texts, explain=True)
    assert [each.to_dict().get("explanation") for each in plain] == [None] * 3
    for one, other in zip(plain, explained, strict=True):
        told = other.to_dict()
        assert set(told.pop("explanation")) == {"label", "rules", "ngrams", "other", "bias", "logit"}
        assert one.to_dict() | {"id": ""} == told | {"id": ""}


@pytest.mark.parametrize("labels", [("neg", "pos"), ("neg", "neutral", "pos")])
def test_an_encoder_is_explained_by_leaving_words_out(labels: tuple[str, ...]) -> None:
    encoder, text = tiny_encoder(labels), "a wonderful movie, free prize call now"
    for label in labels:
        told = explain_text(encoder, NO_RULES, text, label=label, ruled=False)
        at, sign = (0, 1 if label == "pos" else -1) if len(labels) == 2 else (labels.index(label), 1)
        assert told.logit == pytest.approx(sign * encoder.logits_of(text)[at], abs=1e-4)
        assert told.bias == pytest.approx(sign * encoder.logits_of("\x01")[at], abs=1e-4)
        assert told.bias + told.other + sum(each.weight for each in told.ngrams) == pytest.approx(told.logit)
        without = sign * encoder.logits_of("a movie, free prize call now")[at]
        [left_out] = [each.weight for each in told.ngrams if each.text == "wonderful"]
        assert told.logit - left_out == pytest.approx(without, abs=1e-4)
        weights = [abs(each.weight) for each in told.ngrams]
        assert weights == sorted(weights, reverse=True)
        assert {each.kind for each in told.ngrams} == {"words"}


def test_an_encoder_names_as_many_words_as_a_linear_model() -> None:
    told = explain_text(tiny_encoder(), NO_RULES, "free prize call now " * 8, label="pos", ruled=False)
    assert len(told.ngrams) == MOST_NGRAMS


def test_an_encoder_that_was_not_asked_has_no_weights() -> None:
    told = explain_text(tiny_encoder(), NO_RULES, "free prize", label="pos", ruled=True)
    assert (told.logit, told.bias, told.ngrams) == (None, None, ())

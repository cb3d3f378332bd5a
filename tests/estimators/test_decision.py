"""A decision is a value: it compares by its parts, cannot be changed, and is the same however it was made."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any

import pytest

from assay.estimators import Decision
from assay.estimators.decision import Form

ID = "0199dd3cf0007abc8def0123456789ab"
FORM = Form("spam", 0.5, "SpamClassifier", "7")
COMMON: dict[str, Any] = {
    "task": "spam",
    "threshold": 0.5,
    "model": "SpamClassifier",
    "version": "7",
    "id": ID,
}
FILLED = {
    "model": (
        FORM.fill(ID, "ham", 0.75, 0.25, True),
        Decision(**COMMON, label="ham", confidence=0.75, score=0.25, decided_by="model", review=True),
    ),
    "rule": (
        FORM.fill(ID, "spam", 0.97, rule="prize"),
        Decision(**COMMON, label="spam", confidence=0.97, score=None, decided_by="rule", rule="prize"),
    ),
    "many": (
        FORM.fill(ID, "a", 0.5, 0.3, False, {"a": 0.5, "b": 0.3, "c": 0.2}),
        Decision(
            **COMMON,
            label="a",
            confidence=0.5,
            score=0.3,
            decided_by="model",
            scores={"a": 0.5, "b": 0.3, "c": 0.2},
        ),
    ),
}
BOTH = pytest.mark.parametrize(("filled", "written"), FILLED.values(), ids=FILLED)


@BOTH
def test_a_filled_form_is_a_decision_like_any_other(filled: Decision, written: Decision) -> None:
    assert type(filled) is Decision
    assert filled == written
    assert (repr(filled), filled.to_dict(), asdict(filled)) == (
        repr(written),
        written.to_dict(),
        asdict(written),
    )
    assert not hasattr(filled, "__dict__")
    if filled.scores is None:
        assert hash(filled) == hash(written)


@BOTH
def test_a_decision_cannot_be_changed(filled: Decision, written: Decision) -> None:
    for decision in (filled, written):
        for name in (*(field.name for field in fields(Decision)), "colour"):
            with pytest.raises((FrozenInstanceError, TypeError)):
                setattr(decision, name, "x")
            with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
                delattr(decision, name)
    assert filled == written


@BOTH
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, replace, lambda d: pickle.loads(pickle.dumps(d))]
)
def test_a_decision_can_be_copied(filled: Decision, written: Decision, again: Any) -> None:
    assert again(filled) == again(written) == filled
    assert type(again(filled)) is Decision


@pytest.mark.parametrize("name", [field.name for field in fields(Decision)])
def test_a_decision_with_another_part_is_another(name: str) -> None:
    filled = FILLED["model"][0]
    changed = replace(filled, **{name: "other"})
    assert changed != filled
    assert getattr(changed, name) == "other"

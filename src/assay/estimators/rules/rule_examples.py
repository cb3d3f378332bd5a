"""Rules proven on their own examples: each matches what it must, and no two decide one text differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.estimators.folding import fold
from assay.estimators.rules.rule import Rule

if TYPE_CHECKING:
    from assay.estimators.rules.rules import Rules


def faults_of_examples(rules: Rules) -> dict[str, list[str]]:
    """Return what the examples of the active rules disprove, by the rules' ids.

    An expired rule decides nothing, so its examples are not looked at.
    """
    found: dict[str, list[str]] = {}
    for column, rule in enumerate(rules.active):
        hits = rules.hits(rule.examples)
        wrong = _own(rules, column, rule, hits)
        if rule.action == "decide":
            wrong += _contradictions(rules, rule, hits)
        if wrong:
            found[rule.id] = wrong
    return found


def _own(rules: Rules, column: int, rule: Rule, hits: NDArray[np.bool_]) -> list[str]:
    hit = rules.hits(rule.counterexamples)[:, column]
    wrong = [
        f"its example {text!r:.80} does not match{_as_folded(rules, rule, text)}"
        for text, fires in zip(rule.examples, hits[:, column], strict=True)
        if not fires
    ]
    wrong += [
        f"its counter-example {text!r:.80} matches{_as_folded(rules, rule, text)}"
        for text, fires in zip(rule.counterexamples, hit, strict=True)
        if fires
    ]
    return wrong


def _as_folded(rules: Rules, rule: Rule, text: str) -> str:
    return f"; folded it reads {fold(text, rules.folding)!r:.80}" if rule.view == "folded" else ""


def _contradictions(rules: Rules, rule: Rule, hits: NDArray[np.bool_]) -> list[str]:
    others: dict[str, str] = {}
    for text, fires in zip(rule.examples, hits, strict=True):
        for other, fired in zip(rules.deciding, fires[: len(rules.deciding)], strict=True):
            if fired and other.label != rule.label:
                others.setdefault(
                    other.id,
                    f"contradicts the rule {other.id!r}: it decides {rule.label!r} and the other one "
                    f"{other.label!r}, and both fire on its example {text!r:.80}; narrow one of them",
                )
    return list(others.values())

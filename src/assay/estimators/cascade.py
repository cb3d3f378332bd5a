"""The one object that is evaluated, gated, registered, served and rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assay.config import Task
from assay.estimators.decision import Decision
from assay.estimators.explanation import explain_text
from assay.estimators.linear import Floats, LinearModel
from assay.estimators.manifest import Manifest
from assay.estimators.profile import Profile
from assay.estimators.rules import NO_RULES, Rules
from assay.estimators.selection import Selection, first_rule
from assay.estimators.texts import check_texts
from assay.estimators.thresholds import OperatingPoint
from assay.exceptions import DataError


class Judged(NamedTuple):
    """What a cascade makes of texts, a row a text.

    ``probabilities`` has the shape (texts, labels); where a rule decided, its label has 1. ``rules`` holds
    the number of the rule that decided, of ``cascade.rules.deciding``, or -1 where the model did.
    """

    labels: list[str]
    probabilities: Floats
    rules: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """A task's rules, model and operating point; every path from a text to an answer calls ``decide``.

    ``version`` is the registry's number, empty while unregistered; ``manifest`` is set once the cascade
    was loaded from an artifact, ``profile`` where that has one; ``selection`` (how the operating point
    was chosen) until then. Columns of probabilities follow ``labels``.

    >>> from pathlib import Path
    >>> from assay.estimators import load_artifact
    >>> cascade = load_artifact(Path("tests/artifacts/v1/words-and-characters"))
    >>> [decision] = cascade.at_version("7").decide(["free prize, call now"])
    >>> decision.label, round(decision.score, 2), decision.threshold, decision.version
    ('spam', 1.0, 0.5, '7')
    """

    task: Task
    model: LinearModel
    operating_point: OperatingPoint
    rules: Rules = NO_RULES
    version: str = ""
    manifest: Manifest | None = None
    selection: Selection | None = None
    profile: Profile | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns of ``predict_proba``."""
        return self.task.labels

    @property
    def digest(self) -> str:
        """The identity of what decides; empty before the cascade was saved and loaded."""
        return self.manifest.digest if self.manifest else ""

    def at_version(self, version: str) -> Self:
        """Return the same cascade under a registry's version number."""
        return replace(self, version=version)

    def decide(self, texts: Sequence[str], *, explain: bool = False) -> list[Decision]:
        """Return the decision for each text, with what moved it where an explanation is asked for.

        Raises TextError for the first text that is empty, too long or not valid Unicode, naming its place.
        """
        judged = self.judge(texts)
        at = self.labels.index
        told = (
            at(self.task.positive)
            if self.task.binary
            else np.array([at(each) for each in judged.labels], int)
        )
        review = self.operating_point.in_review(judged.probabilities, told, judged.rules)
        rows = zip(
            judged.labels, judged.probabilities.tolist(), judged.rules.tolist(), review.tolist(), strict=True
        )
        decisions = [self._decision(*row) for row in rows]
        if not explain:
            return decisions
        return [self._explained(*each) for each in zip(texts, decisions, strict=True)]

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the label given to each text, by a rule or at the served threshold."""
        return self.judge(texts).labels

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return each text's probability of each label, shape (texts, labels)."""
        return self.judge(texts).probabilities

    def judge(self, texts: Sequence[str]) -> Judged:
        """Return what rules and model make of each text.

        Raises TextError for the first text that is empty, too long or not valid Unicode, naming its place.
        """
        check_texts(texts)
        hits = self.rules.hits(texts)
        ruled = first_rule(hits[:, : len(self.rules.deciding)])
        left = np.flatnonzero(ruled < 0)
        probabilities = np.zeros((len(texts), len(self.labels)))
        probabilities[ruled >= 0, self._label_of_rule[ruled[ruled >= 0]]] = 1.0
        if len(left):
            evidence = hits[left, len(self.rules.deciding) :] if self.rules.evidence else None
            logits = self.model.logits([texts[at] for at in left.tolist()], evidence)
            probabilities[left] = self.operating_point.calibration.probabilities(logits, self.model.link)
        labels = self.operating_point.labels_of(probabilities, self.labels, self.task.positive)
        for at in np.flatnonzero(ruled >= 0).tolist():
            labels[at] = self.rules.deciding[ruled[at]].label
        return Judged(labels, probabilities, ruled)

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> float:
        """Return the share of texts that get their label, at the served threshold.

        Raises DataError without texts.
        """
        if not texts:
            raise DataError("There is no text to score.")
        given = self.predict(texts)
        return sum(a == b for a, b in zip(given, labels, strict=True)) / len(given)

    @cached_property
    def _label_of_rule(self) -> NDArray[np.intp]:
        return np.array([self.labels.index(rule.label) for rule in self.rules.deciding], np.intp)

    def _explained(self, text: str, decision: Decision) -> Decision:
        label = self.task.positive if self.task.binary else decision.label
        ruled = decision.decided_by == "rule"
        return replace(
            decision, explanation=explain_text(self.model, self.rules, text, label=label, ruled=ruled)
        )

    def _decision(self, label: str, row: list[float], ruled: int, review: bool) -> Decision:
        rule = self.rules.deciding[ruled] if ruled >= 0 else None
        at = self.labels.index
        return Decision(
            task=self.task.name,
            label=label,
            confidence=self.operating_point.rules[rule.id].low if rule else row[at(label)],
            score=None if rule else row[at(self.task.positive)],
            threshold=self.operating_point.threshold,
            decided_by="rule" if rule else "model",
            rule=rule.id if rule else None,
            review=review,
            model=self.task.model,
            version=self.version,
            scores=None if self.task.binary or rule else dict(zip(self.labels, row, strict=True)),
        )

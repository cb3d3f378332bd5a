"""The one object that is evaluated, gated, registered, served and rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assay.config import Task
from assay.estimators.decider import Decider, Logits
from assay.estimators.decision import Decision
from assay.estimators.explanation import explain_text
from assay.estimators.linear import Floats
from assay.estimators.manifest import Manifest
from assay.estimators.model import Model
from assay.estimators.profile import Profile
from assay.estimators.rules import NO_RULES, Rules
from assay.estimators.texts import check_texts
from assay.estimators.thresholds import OperatingPoint
from assay.exceptions import DataError

if TYPE_CHECKING:
    from assay.estimators.selection import Selection
    from assay.estimators.transformer import QuantizationCost, TrainingRecord


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
    was chosen) and ``training`` (how an encoder was trained) until then. Columns of probabilities follow
    ``labels``. ``quantization`` says what eight bits cost where the model is in them.

    >>> from pathlib import Path
    >>> from assay.estimators import load_artifact
    >>> cascade = load_artifact(Path("tests/artifacts/v1/words-and-characters"))
    >>> [decision] = cascade.at_version("7").decide(["free prize, call now"])
    >>> decision.label, round(decision.score, 2), decision.threshold, decision.version
    ('spam', 1.0, 0.5, '7')
    """

    task: Task
    model: Model
    operating_point: OperatingPoint
    rules: Rules = NO_RULES
    version: str = ""
    manifest: Manifest | None = None
    selection: "Selection | None" = None
    profile: Profile | None = None
    training: "TrainingRecord | None" = None
    quantization: "QuantizationCost | None" = None

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
        check_texts(texts)
        if not texts:
            return []
        decisions = (
            [self._decision(texts[0])] if len(texts) == 1 else self._decider.decide(*self._read(texts))
        )
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
        read, logits = self._read(texts)
        ruled, deciding = np.array(read, np.int64), self.rules.deciding
        left, by_rule = np.flatnonzero(ruled < 0), np.flatnonzero(ruled >= 0)
        probabilities = np.zeros((len(texts), len(self.labels)))
        probabilities[by_rule, self._label_of_rule[ruled[by_rule]]] = 1.0
        if len(left):
            calibration = self.operating_point.calibration
            probabilities[left] = calibration.probabilities(np.array(logits, np.float64), self.model.link)
        labels = self.operating_point.labels_of(probabilities, self.labels, self.task.positive)
        for at in by_rule.tolist():
            labels[at] = deciding[read[at]].label
        return Judged(labels, probabilities, ruled)

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> float:
        """Return the share of texts that get their label, at the served threshold.

        Raises DataError without texts.
        """
        if not texts:
            raise DataError("There is no text to score.")
        given = self.predict(texts)
        return sum(a == b for a, b in zip(given, labels, strict=True)) / len(given)

    def _decision(self, text: str) -> Decision:
        """Return the decision for one text without the lists of many; what it computes is the same."""
        fired, deciding = self.rules.matched(text), self._deciding
        if fired and fired[0] < deciding:
            return self._decider.by_rule(fired[0])
        evidence = [number - deciding for number in fired] if fired else ()
        return self._decider.by_model(self.model.logits_of(text, evidence))

    def _read(self, texts: Sequence[str]) -> tuple[list[int], Logits]:
        """Return the number of the rule that decides each text, else -1, and the logits of those texts."""
        fired = [self.rules.matched(text, at) for at, text in enumerate(texts)]
        deciding = self._deciding
        ruled = [numbers[0] if numbers and numbers[0] < deciding else -1 for numbers in fired]
        if max(ruled, default=-1) >= 0:
            left = [at for at, number in enumerate(ruled) if number < 0]
            texts, fired = [texts[at] for at in left], [fired[at] for at in left]
        return ruled, self.model.logits(texts, self._evidence(fired)).tolist() if texts else []

    def _evidence(self, fired: Sequence[Sequence[int]]) -> NDArray[np.bool_] | None:
        if not self.rules.evidence:
            return None
        deciding = self._deciding
        evidence = np.zeros((len(fired), len(self.rules.evidence)), np.bool_)
        for row, numbers in enumerate(fired):
            for number in numbers:
                evidence[row, number - deciding] = True
        return evidence

    @cached_property
    def _deciding(self) -> int:
        """How many of the rules decide; they are numbered before the others."""
        return len(self.rules.deciding)

    @cached_property
    def _decider(self) -> Decider:
        point, deciding = self.operating_point, self.rules.deciding
        return Decider(self.task, point, self.model.link, deciding, self.version)

    @cached_property
    def _label_of_rule(self) -> NDArray[np.intp]:
        return np.array([self.labels.index(rule.label) for rule in self.rules.deciding], np.intp)

    def _explained(self, text: str, decision: Decision) -> Decision:
        label = self.task.positive if self.task.binary else decision.label
        ruled = decision.decided_by == "rule"
        return replace(
            decision, explanation=explain_text(self.model, self.rules, text, label=label, ruled=ruled)
        )

"""The one object that is evaluated, gated, registered, served and rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from assay.config import Task
from assay.estimators.decision import Decision
from assay.estimators.linear import Floats, LinearModel
from assay.estimators.manifest import Manifest
from assay.estimators.operating_point import OperatingPoint
from assay.estimators.texts import check_texts
from assay.exceptions import DataError


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """A task's model and operating point; every path from a text to an answer calls ``decide``.

    ``version`` is the registry's number, empty while unregistered; ``manifest`` is set once the cascade
    was loaded from an artifact. Columns of probabilities follow ``labels``.

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
    version: str = ""
    manifest: Manifest | None = None

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

    def decide(self, texts: Sequence[str]) -> list[Decision]:
        """Return the decision for each text.

        Raises TextError for the first text that is empty, too long or not valid Unicode, naming its place.
        """
        probabilities = self.predict_proba(texts)
        labels, positive = self.labels_of(probabilities), self.labels.index(self.task.positive)
        return [
            self._decision(label, row, positive)
            for label, row in zip(labels, probabilities.tolist(), strict=True)
        ]

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the label given to each text, at the served threshold."""
        return self.labels_of(self.predict_proba(texts))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return each text's probability of each label, shape (texts, labels)."""
        check_texts(texts)
        return self.model.predict_proba(texts)

    def labels_of(self, probabilities: Floats) -> list[str]:
        """Return the label given to each row of probabilities, at the served threshold."""
        return self.operating_point.labels_of(probabilities, self.labels, self.task.positive)

    def score(self, texts: Sequence[str], labels: Sequence[str]) -> float:
        """Return the share of texts that get their label, at the served threshold.

        Raises DataError without texts.
        """
        if not texts:
            raise DataError("There is no text to score.")
        given = self.predict(texts)
        return sum(a == b for a, b in zip(given, labels, strict=True)) / len(given)

    def _decision(self, label: str, row: list[float], positive: int) -> Decision:
        return Decision(
            task=self.task.name,
            label=label,
            confidence=row[self.labels.index(label)],
            score=row[positive],
            threshold=self.operating_point.threshold,
            decided_by="model",
            model=self.task.model,
            version=self.version,
            scores=None if self.task.binary else dict(zip(self.labels, row, strict=True)),
        )

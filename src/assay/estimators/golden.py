"""Texts with their decisions, decided again whenever an artifact is loaded."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.estimators.cascade import Cascade
from assay.estimators.manifest import GOLDEN
from assay.estimators.texts import check_texts
from assay.exceptions import ArtifactError, TextError


def golden_lines(cascade: Cascade, texts: Sequence[str]) -> str:
    """Return one JSON line a text: the text, the label given and every label's probability."""
    judged = cascade.judge(texts)
    entries = zip(texts, judged.labels, judged.probabilities.tolist(), strict=True)
    return "".join(
        json.dumps({"text": text, "label": label, "probabilities": row}, ensure_ascii=False) + "\n"
        for text, label, row in entries
    )


@dataclass(frozen=True)
class Golden:
    """Texts and what a cascade must decide about them; ``place`` is the file that says so."""

    place: Path
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]

    def check(self, cascade: Cascade) -> None:
        """Raise ArtifactError unless the cascade decides every text as recorded."""
        judged, tolerance = cascade.judge(self.texts), cascade.model.tolerance
        found, expected = judged.probabilities, self.probabilities
        if expected.shape != found.shape:
            raise ArtifactError(
                f"{self.place} must hold {len(cascade.labels)} probabilities a line.", file=self.place.name
            )
        apart = np.abs(found - expected).max(axis=1).tolist()
        for number, label in enumerate(judged.labels):
            if label != self.labels[number] or not apart[number] <= tolerance:
                raise ArtifactError(
                    f"{self.place} line {number + 1}: the recorded decision is {self.labels[number]!r}, now "
                    f"it is {label!r}, its probability {apart[number]:.3g} away (at most {tolerance}). "
                    "The version is refused.",
                    file=self.place.name,
                    line=number + 1,
                )


def read_golden(folder: Path) -> Golden:
    """Return the golden decisions of an artifact folder. Raises ArtifactError."""
    path = folder / GOLDEN
    try:
        # Split at line feeds only: JSON leaves other line separators of Unicode as they are.
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        texts = [entry["text"] for entry in entries]
        given = [entry["label"] for entry in entries]
        expected = np.array([entry["probabilities"] for entry in entries], np.float64)
        check_texts(texts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, TextError) as error:
        raise ArtifactError(f"{path} cannot be read: {error!r}", file=path.name) from error
    if not texts:
        raise ArtifactError(
            f"{path} holds no golden text; an artifact must prove what it decides.", file=path.name
        )
    return Golden(path, tuple(texts), tuple(given), expected)

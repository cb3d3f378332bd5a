"""Texts with their decisions, decided again whenever an artifact is loaded."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.estimators.cascade import Cascade
from assay.estimators.texts import check_texts
from assay.exceptions import ArtifactError, TextError

TOLERANCE = 1e-6
"""How far a probability of a linear model may lie from the recorded one."""


def golden_lines(cascade: Cascade, texts: Sequence[str]) -> str:
    """Return one JSON line a text: the text, the label given and every label's probability."""
    judged = cascade.judge(texts)
    entries = zip(texts, judged.labels, judged.probabilities.tolist(), strict=True)
    return "".join(
        json.dumps({"text": text, "label": label, "probabilities": row}, ensure_ascii=False) + "\n"
        for text, label, row in entries
    )


def check_golden(cascade: Cascade, path: Path) -> None:
    """Raise ArtifactError unless the cascade decides every golden text as recorded."""
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
    judged = cascade.judge(texts)
    found = judged.probabilities
    if expected.shape != found.shape:
        raise ArtifactError(f"{path} must hold {len(cascade.labels)} probabilities a line.", file=path.name)
    apart = np.abs(found - expected).max(axis=1).tolist()
    for number, label in enumerate(judged.labels):
        if label != given[number] or not apart[number] <= TOLERANCE:
            raise ArtifactError(
                f"{path} line {number + 1}: the recorded decision is {given[number]!r}, now it is "
                f"{label!r}, its probability {apart[number]:.3g} away (at most {TOLERANCE}). "
                "The version is refused.",
                file=path.name,
                line=number + 1,
            )

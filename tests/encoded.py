"""Artifacts whose model is a tiny encoder, and services over them."""

from collections.abc import Sequence
from pathlib import Path

from assay.config import parse_task
from assay.estimators import NO_RULES, Cascade, EncoderModel, OperatingPoint, Rules, save_artifact
from tests.encoders import LINES, tiny_encoder

GOLDEN = (*LINES[:3], "naïve café 日本語")


def encoder_cascade(
    name: str = "mood",
    labels: Sequence[str] = ("negative", "positive"),
    *,
    model: EncoderModel | None = None,
    threshold: float = 0.5,
    rules: Rules = NO_RULES,
    **spec: object,
) -> Cascade:
    """Return the cascade of a task that a tiny encoder decides."""
    binary = len(labels) == 2
    task = parse_task(
        {
            "name": name,
            "labels": list(labels),
            "positive": labels[-1],
            "data": {"source": "made-up"},
            "estimator": {"family": "transformer", "base": "made-up"},
        },
        source=f"the test task {name!r}",
    )
    point = OperatingPoint(threshold=threshold if binary else None, goal="made up")
    encoder = model or tiny_encoder(tuple(labels), **spec)
    return Cascade(task=task, model=encoder, operating_point=point, rules=rules)


def encoder_artifact(folder: Path, cascade: Cascade | None = None, **parts: object) -> Path:
    """Return an artifact folder of such a cascade."""
    made = cascade or encoder_cascade(**parts)  # type: ignore[arg-type]
    save_artifact(made, folder, golden=GOLDEN, provenance={"git_commit": "0" * 40})
    return folder

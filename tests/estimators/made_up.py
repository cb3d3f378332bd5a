"""Models, cascades and artifacts made by hand, so small that a test reads at a glance what they answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from assay.estimators import Cascade, LinearModel, OperatingPoint
from assay.estimators.linear import Block, Link
from assay.estimators.manifest import digest_of, hash_file
from assay.estimators.ngrams import NgramSpec
from assay.estimators.vocabulary import Vocabulary
from tests.conftest import make_task

Damage = Callable[[Path], None]


def made(
    coef: dict[str, list[float]],
    *,
    link: Link = "sigmoid",
    labels: list[str] | None = None,
    intercept: list[float] | None = None,
    scale: dict[str, float] | None = None,
    **spec: Any,
) -> LinearModel:
    """Return a model of one block from weights written by n-gram."""
    grams = list(coef)
    vocabulary, order = Vocabulary.build(grams)
    weights = np.array([coef[grams[i]] for i in order], np.float64)
    scales = None if scale is None else np.array([scale[grams[i]] for i in order], np.float64)
    ngrams = NgramSpec(**({"analyzer": "words", "ngrams": (1, 1), "norm": "none"} | spec))
    logits = weights.shape[1]
    if labels is None:
        labels = ["ham", "spam"] if link == "sigmoid" else [f"label {number}" for number in range(logits)]
    start = np.array(intercept or [0.0] * logits)
    return LinearModel(labels, link, [Block(ngrams, vocabulary, scales, weights)], start)


def cascade_of(model: LinearModel, **parts: Any) -> Cascade:
    """Return a cascade of the task trial around a model."""
    task = make_task("trial", list(model.labels), **parts)
    point = OperatingPoint(threshold=0.5 if task.binary else None, goal="fixed")
    return Cascade(task=task, model=model, operating_point=point)


def rehash(folder: Path, **changes: Any) -> None:
    """Write the manifest anew, so that it vouches for whatever the folder's files are now."""
    manifest = read_unverified(folder)
    files = {name: hash_file(folder / name) for name in manifest["files"] if (folder / name).is_file()}
    values = manifest | {"files": files, "digest": digest_of(files)} | changes
    (folder / "manifest.json").write_text(json.dumps(values), encoding="utf-8")


def read_unverified(folder: Path) -> dict[str, Any]:
    """Return what a manifest says."""
    values: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return values


def edited(name: str, old: str, new: str) -> Damage:
    """Return the damage that replaces a text in a file of an artifact."""

    def edit(folder: Path) -> None:
        content = (folder / name).read_text(encoding="utf-8")
        assert old in content
        (folder / name).write_text(content.replace(old, new, 1), encoding="utf-8")

    return edit


def written(name: str, content: bytes) -> Damage:
    """Return the damage that writes a file of an artifact anew."""

    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write

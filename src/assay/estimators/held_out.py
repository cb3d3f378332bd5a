"""Out-of-fold scores of the training rows, on which calibration and operating point are chosen."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assay.estimators.calibration import Calibration
from assay.estimators.linear import Floats, Link
from assay.estimators.tensors import map_tensors, write_tensors
from assay.estimators.thresholds import Sample
from assay.exceptions import ArtifactError, DataError

KEY_BYTES = 16
KINDS = {
    **{"keys": "uint8", "logits": "float64", "truth": "uint32", "validation": "uint8", "ruled": "uint32"},
    "unscored": "uint8",
}
"""The types of the arrays in a file."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The training rows with the scores of models that did not see them; each array has an entry a row.

    ``keys`` identify the exact texts, shape (rows, 16); ``logits`` has the shape (rows, logits); ``truth``
    holds label numbers; ``validation`` marks the rows of that side; ``ruled`` holds the label number that
    a rule decided, or -1. ``unscored`` identifies texts that were trained on and have no score, shape
    (texts, 16).
    """

    keys: NDArray[np.uint8]
    logits: Floats
    truth: NDArray[np.int64]
    validation: NDArray[np.bool_]
    ruled: NDArray[np.int64]
    unscored: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, KEY_BYTES), np.uint8))

    def __len__(self) -> int:
        return len(self.truth)

    def sample(self, calibration: Calibration, link: Link) -> Sample:
        """Return the rows as thresholds are chosen on them."""
        return Sample(self.truth, calibration.probabilities(self.logits, link), self.ruled)

    def places(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each text, -1 for a text that was not scored."""
        known = {key.tobytes(): row for row, key in enumerate(self.keys)}
        found = (known.get(key.tobytes(), -1) for key in keys_of(texts))
        return np.fromiter(found, np.int64, len(texts))

    def seen(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of the texts are training rows, to the letter, shape (texts,)."""
        known = {key.tobytes() for key in (*self.keys, *self.unscored)}
        found = (key.tobytes() in known for key in keys_of(texts))
        return np.fromiter(found, np.bool_, len(texts))

    def check_unseen(self, texts: Sequence[str], model: str) -> None:
        """Raise DataError when the model of these scores, by its name, was trained on some of the texts."""
        seen = int(self.seen(texts).sum())
        if seen:
            raise DataError(
                f"{model} was trained on {seen:,} of the {len(texts):,} rows that are kept apart now, so "
                "they cannot judge it: the rows were split in another way then. Split them as they were, or "
                "train again.",
                seen=seen,
            )

    def taken(self, rows: NDArray[np.int64]) -> Self:
        """Return some of the rows."""
        return type(self)(
            keys=self.keys[rows],
            logits=self.logits[rows],
            truth=self.truth[rows],
            validation=self.validation[rows],
            ruled=self.ruled[rows],
            unscored=self.unscored,
        )

    def write(self, path: Path) -> None:
        """Write the rows as a safetensors file."""
        arrays: dict[str, NDArray[Any]] = {
            "keys": self.keys,
            "logits": self.logits,
            "truth": self.truth,
            "validation": self.validation,
            # No rule: 0; the format has no negative numbers.
            "ruled": self.ruled + 1,
        }
        if len(self.unscored):
            arrays["unscored"] = self.unscored
        write_tensors(path, {name: array.astype(KINDS[name]) for name, array in arrays.items()})

    @classmethod
    def read(cls, path: Path, *, labels: int, logits: int) -> Self:
        """Return the rows that ``write`` wrote. Raises ArtifactError for arrays that do not fit."""
        arrays = map_tensors(path)
        rows = np.size(arrays.get("truth", ()))
        widths = {"keys": (KEY_BYTES,), "logits": (logits,), "truth": (), "validation": (), "ruled": ()}
        unscored = arrays.setdefault("unscored", np.zeros((0, KEY_BYTES), np.uint8))
        shapes = {name: (rows, *width) for name, width in widths.items()}
        _check(arrays, shapes | {"unscored": (len(np.atleast_1d(unscored)), KEY_BYTES)}, path)
        truth, ruled = arrays["truth"].astype(np.int64), arrays["ruled"].astype(np.int64) - 1
        if truth.max(initial=0) >= labels or ruled.max(initial=0) >= labels:
            raise ArtifactError(f"{path} speaks of more labels than the {labels} of the task.", path=path)
        validation = arrays["validation"].astype(np.bool_)
        return cls(arrays["keys"], arrays["logits"], truth, validation, ruled, unscored)


def keys_of(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return 16 bytes a text that identify it exactly, shape (texts, 16)."""
    digests = (hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).digest() for text in texts)
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, KEY_BYTES)


def _check(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype != KINDS[name]:
            found = "missing" if array is None else f"{array.dtype} of shape {array.shape}"
            raise ArtifactError(
                f"{path}: {name!r} must be {KINDS[name]} of shape {shape}; it is {found}.", path=path
            )
    if not np.isfinite(arrays["logits"]).all():
        raise ArtifactError(f"{path}: 'logits' holds a value that is not finite.", path=path)

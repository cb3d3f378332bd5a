"""What eight bits cost: a network's decisions before and after quantization, side by side."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from assay.config import faults
from assay.estimators.linear import Floats
from assay.estimators.thresholds.goals import f1_of
from assay.estimators.thresholds.operating_point import Numbers
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

Share = Annotated[float, Field(ge=0, le=1)]
MB = 1_000_000


class Answers(NamedTuple):
    """What a network, at its own operating point, makes of rows.

    ``given`` holds the number of the label given to each row, ``probabilities`` the calibrated ones, shape
    (rows, labels), and ``size`` the bytes of the network's file.
    """

    given: Numbers
    probabilities: Floats
    size: int


class Measured(Frozen):
    """How well a network decides: F1 is that of the positive label, with more than two labels the mean."""

    f1: Share
    accuracy: Share
    size_bytes: int = Field(ge=0)

    @property
    def size_mb(self) -> float:
        """The size of the network's file in millions of bytes."""
        return self.size_bytes / MB


class QuantizationCost(Frozen):
    """The same validation rows decided in single precision and in eight bits, each at its own threshold."""

    rows: int = Field(ge=1)
    fp32: Measured
    int8: Measured
    flips: int = Field(ge=0)
    """Rows that get another label."""
    mean_difference: Share
    largest_difference: Share
    """How far a row's probabilities moved: the mean and the largest over the rows."""

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.flips > self.rows:
            raise ValueError(f"{self.flips} of {self.rows} rows cannot get another label")
        if self.mean_difference > self.largest_difference:
            raise ValueError("the mean difference cannot be above the largest")
        return self

    @property
    def flipped(self) -> float:
        """The share of the rows that get another label."""
        return self.flips / self.rows

    def lines(self) -> Iterator[str]:
        """Yield one line for people."""
        yield (
            f"int8 on {self.rows:,} validation rows: F1 {self.int8.f1:.4f} (fp32 {self.fp32.f1:.4f}), "
            f"accuracy {self.int8.accuracy:.4f} ({self.fp32.accuracy:.4f}), {self.flips:,} decisions differ, "
            f"probabilities by {self.mean_difference:.4f} in the mean and {self.largest_difference:.4f} at "
            f"most; {self.int8.size_mb:,.1f} MB instead of {self.fp32.size_mb:,.1f}"
        )

    def to_json(self) -> str:
        """Return the text of quantization.json; ``from_json`` gives an equal value back."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "quantization.json") -> Self:
        """Return what ``to_json`` wrote. Raises ArtifactError, naming ``source``, for anything else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ArtifactError(f"{source} is damaged:\n{faults(error)}", source=source) from error


def measure_quantization(
    truth: Numbers, fp32: Answers, int8: Answers, *, labels: Sequence[str], positive: str
) -> QuantizationCost:
    """Return what eight bits cost on rows whose true label numbers are known.

    Raises ValueError without rows.
    """
    if not len(truth):
        raise ValueError("There are no rows to measure the quantized network on.")
    moved = np.abs(fp32.probabilities - int8.probabilities).max(axis=1)
    at = labels.index(positive) if len(labels) == 2 else None
    return QuantizationCost(
        rows=len(truth),
        fp32=_measured(truth, fp32, len(labels), at),
        int8=_measured(truth, int8, len(labels), at),
        flips=int((fp32.given != int8.given).sum()),
        mean_difference=min(float(moved.mean()), float(moved.max())),
        largest_difference=float(moved.max()),
    )


def _measured(truth: Numbers, answers: Answers, labels: int, positive: int | None) -> Measured:
    hits = np.bincount(truth[truth == answers.given], minlength=labels)
    both = np.bincount(truth, minlength=labels) + np.bincount(answers.given, minlength=labels)
    scores = f1_of(hits, both)
    return Measured(
        f1=float(scores.mean() if positive is None else scores[positive]),
        accuracy=float((truth == answers.given).mean()),
        size_bytes=answers.size,
    )

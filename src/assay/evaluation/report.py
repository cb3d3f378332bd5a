"""The report: all that an evaluation found, as one value that survives JSON to the last digit."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, Self, get_args

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from assay.config import faults
from assay.estimators import QuantizationCost
from assay.evaluation.behaviour import BehaviourTest, MustPassCase
from assay.evaluation.confirmation import ChosenPoint
from assay.evaluation.cost import Cost
from assay.evaluation.decided_by import DecidedBy
from assay.evaluation.intervals import Interval
from assay.evaluation.leakage import Leakage
from assay.evaluation.reliability import Reliability
from assay.evaluation.rowwise import Rowwise
from assay.evaluation.rule_book import RuleBook
from assay.evaluation.slices import Slice
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

FORMAT: Literal[1] = 1
Metric = Literal["accuracy", "precision", "recall", "f1", "macro_f1", "roc_auc", "pr_auc"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Points = tuple[tuple[float, float], ...]


class LabelMetrics(Frozen):
    """One label against the rest; ``support`` counts the rows that truly have it."""

    precision: Interval
    recall: Interval
    f1: Interval
    roc_auc: Interval
    pr_auc: Interval
    support: int = Field(ge=0)


class Curve(Frozen):
    """One label's curves, thinned for drawing: (false positive rate, recall) and (recall, precision)."""

    roc: Points
    precision_recall: Points


class Histogram(Frozen):
    """How many rows fall between each two edges of the unit interval, by group."""

    of: str
    """What was counted, as the axis of a plot says it."""
    edges: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]


class DataFacts(Frozen):
    """Where the rows came from: all that a model card says of the data."""

    name: str
    fingerprint: str
    source: str = ""
    licence: str = ""
    citation: str = ""
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Side (train, validation, test) -> label -> rows."""
    audit: dict[str, JsonValue] = Field(default_factory=dict)
    """What was read, kept, found and dropped, as the stage ``datasets`` writes it."""

    @field_validator("audit", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        return _plain(value)


class TrainingFacts(Frozen):
    """How the model was trained; empty for a model that was not trained here."""

    seconds: float | None = Field(None, ge=0)
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)
    git_commit: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict)

    @field_validator("hyperparameters", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        return _plain(value)


class Report(Frozen):
    """All that one evaluation of one cascade on one set of held-out rows found.

    With two labels, headline precision, recall, F1 and areas are those of the positive label; with more
    they are means over the labels. All follow the threshold that is served.
    """

    format: Literal[1] = FORMAT
    task: str
    description: str = ""
    model: str
    version: str
    """The registry's number, empty while unregistered; ``digest`` identifies what decides at all times."""
    digest: str
    labels: tuple[str, ...] = Field(min_length=2)
    positive: str
    threshold: float | None
    thresholds: dict[str, float] = Field(default_factory=dict)
    """With more than two labels: each one's, where the operating point has some."""
    rows: int = Field(ge=0)
    rows_fingerprint: str
    dataset: DataFacts
    metrics: dict[Metric, Interval]
    per_class: dict[str, LabelMetrics]
    confusion: tuple[tuple[int, ...], ...]
    """Counts of rows: truth down, decision across, both in the order of ``labels``."""
    curves: dict[str, Curve]
    """Label -> curves: the positive label alone with two labels, every label with more."""
    scores: Histogram
    decided_by: DecidedBy | None = None
    calibration: Reliability | None = None
    operating_point: ChosenPoint | None = None
    """These three are None in reports that were made before they existed, the last one also where no
    operating point was chosen (an imported model)."""
    slices: tuple[Slice, ...] = ()
    behaviour: tuple[BehaviourTest, ...] = ()
    must_pass: tuple[MustPassCase, ...] = ()
    leakage: Leakage | None = None
    rule_account: RuleBook | None = None
    cost: Cost | None = None
    """What it costs on the machine that evaluated it; None where no artifact folder was given."""
    quantization: QuantizationCost | None = None
    """What eight bits cost on the validation rows; None for a model that is not quantized."""
    rowwise: Rowwise | None = None
    """Every row, so that two reports can be paired; None in reports that were made before it existed."""
    training: TrainingFacts = TrainingFacts()
    confidence: float
    resamples: int
    seed: int
    created_at: datetime

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        size = len(self.labels)
        if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"confusion must have {size} rows and columns, one a label")
        if sum(map(sum, self.confusion)) != self.rows:
            raise ValueError(f"confusion must count each of the {self.rows} rows once")
        if self.rowwise is not None and self.rowwise.cells(size) != self.confusion:
            raise ValueError("rowwise must hold the rows that confusion counts")
        missing = sorted({*METRICS, *self.labels} - {*self.metrics, *self.per_class})
        if missing:
            raise ValueError(f"metrics or per_class lack {missing}")
        return self

    @property
    def binary(self) -> bool:
        """True with two labels."""
        return len(self.labels) == 2

    def flat(self) -> dict[str, float]:
        """Return the defined metrics under plain names: ``f1``, ``f1_low``, ``f1_high``, ``spam/recall``."""
        flat: dict[str, float] = {"rows": float(self.rows)}
        for metric in METRICS:
            flat |= _named(metric, self.metrics[metric])
        for label in self.labels:
            found = self.per_class[label]
            for name in ("precision", "recall", "f1", "roc_auc", "pr_auc"):
                flat |= _named(f"{label}/{name}", getattr(found, name))
            flat[f"{label}/support"] = float(found.support)
        if self.calibration:
            flat |= _named("brier", self.calibration.brier) | _named("ece", self.calibration.ece)
        if self.decided_by:
            flat["rows_decided_by_rules"] = float(self.decided_by.rules)
        return flat | dict(self._parts())

    def _parts(self) -> Iterator[tuple[str, float]]:
        """Yield the figures of behaviour tests, leakage and cost under plain names."""
        for test in self.behaviour:
            if test.failures.value is not None:
                yield f"behaviour/{test.name}/failures", test.failures.value
        if self.leakage and self.leakage.seen is not None:
            yield "rows_seen_in_training", float(self.leakage.seen)
        if self.leakage and self.leakage.near is not None:
            yield "rows_near_training", float(self.leakage.near)
        if self.quantization:
            yield "quantization/flips", self.quantization.flipped
            yield "quantization/f1_loss", self.quantization.fp32.f1 - self.quantization.int8.f1
        if self.cost:
            for name in ("median_ms", "p99_ms", "texts_per_second", "load_ms", "memory_mb", "size_mb"):
                if (cost := getattr(self.cost, name)) is not None:
                    yield f"cost/{name}", float(cost)

    def lines(self) -> list[str]:
        """Return the metrics for people, a line each, with their intervals."""
        whose = f"of {self.positive!r}" if self.binary else "mean over the labels"
        share = f"{self.confidence * 100:.0f} %"
        return [
            f"{self.rows:,} held-out rows; {share} intervals; precision, recall, F1 and areas {whose}",
            *(f"  {metric:10} {self.metrics[metric]}" for metric in METRICS),
            *(f"  {line}" for line in self._notes()),
        ]

    def _notes(self) -> Iterator[str]:
        """Yield what else there is to say: calibration, what decided, and what became of the goal."""
        if self.calibration:
            yield from self.calibration.lines()
        if self.decided_by:
            yield from self.decided_by.lines()
        if self.operating_point:
            yield from self.operating_point.lines()
        if self.leakage:
            yield from self.leakage.lines()
        for test in self.behaviour:
            yield from test.lines()
        if self.must_pass:
            passed = sum(case.passed for case in self.must_pass)
            yield f"Texts that must pass: {passed} of {len(self.must_pass)} do"
        if self.quantization:
            yield from self.quantization.lines()
        if self.cost:
            yield from self.cost.lines()

    def to_json(self) -> str:
        """Return the report as JSON; ``from_json`` gives an equal report back."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "report.json") -> Self:
        """Return the report that ``to_json`` wrote.

        Raises ArtifactError, naming ``source``, for another format, an unknown key or a value that does not
        fit.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ArtifactError(f"{source} is not JSON: {error}. Evaluate again.", source=source) from error
        found = values.get("format") if isinstance(values, dict) else None
        if found != FORMAT:
            raise ArtifactError(
                f"{source} is a report of format {found!r}; this Assay reads {FORMAT}. Evaluate again.",
                source=source,
                format=found,
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            message = f"{source} is not a usable report; evaluate again:\n{faults(error)}"
            raise ArtifactError(message, source=source) from error


def _named(name: str, interval: Interval) -> dict[str, float]:
    values = {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {key: value for key, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a value as JSON reads it back (tuples become lists); ValueError for NaN."""
    return json.loads(json.dumps(value, allow_nan=False))

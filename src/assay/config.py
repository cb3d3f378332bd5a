"""Task files: frozen, and unknown keys are refused with their path.

A task file says what is trained and is saved with the model; where a process runs stands in ``settings.py``.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from assay.exceptions import ConfigError
from assay.families import FAMILIES, EstimatorConfig, TfidfConfig
from assay.frozen import Frozen

MAX_TEXT_BYTES = 64 * 1024
"""The longest text that is trained on or scored, in bytes of UTF-8."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class DataConfig(Frozen):
    """Where the labelled rows of a task come from and which side of the split each takes."""

    source: str
    """A name of the catalogue (``assay data list``), or the path of a file or folder."""
    text: str | None = None
    label: str | None = None
    """Columns; found by their usual names when left out."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Labels as the source writes them -> labels of the task."""
    test: float = Field(0.2, gt=0, lt=1)
    validation: float = Field(0.1, gt=0, lt=1)
    """Shares of the rows; a split that the source defines replaces ``test``."""
    salt: str = ""
    """Part of the hash that decides a text's side; another salt is another split."""
    duplicates: Literal["drop", "keep"] = "drop"
    slices: tuple[str, ...] = ()
    """Columns by whose values the report is sliced, beside a column named ``source`` where there is one."""

    @model_validator(mode="after")
    def _room_for_training(self) -> Self:
        if self.test + self.validation >= 1:
            raise ValueError("test and validation together must leave rows to train on")
        return self


class FoldingConfig(Frozen):
    """Which disguises of a text are undone in its folded view; letters become lower case at all times."""

    compatibility: bool = True
    """Full-width, mathematical and circled letters, ligatures and odd blanks become plain (NFKC)."""
    invisible: bool = True
    """Zero-width, ignorable and control characters go, soft hyphens too; tabs and line feeds stay."""
    entities: bool = True
    """HTML entities become their characters, also when they were escaped again."""
    homoglyphs: bool = True
    """Look-alikes of other scripts become Latin letters beside Latin ones; Latin letters lose accents."""
    leetspeak: bool = True
    """Digits and signs between the letters of a word become the letters that they stand for."""
    elongation: bool = True
    """Runs of three or more of a letter are shortened, to two and to one."""
    spacing: bool = True
    """Words spelled out letter by letter (w-i-n, f r e e) are joined."""


class Goal(Frozen):
    """What a threshold is chosen for, parsed."""

    kind: Literal["fixed", "max f1", "precision", "recall", "cost", "alerts"]
    value: float = 0.0
    """The precision or recall to reach, or the fixed threshold."""
    miss: float = 0.0
    false_alarm: float = 0.0
    alerts: int = 0
    per_day: int = 0


GOALS = (
    "fixed",
    "max f1",
    "precision >= 0.99",
    "recall >= 0.95",
    "cost miss=5 false_alarm=1",
    "alerts <= 40 of 5000 a day",
)
"""One example of every goal that exists."""
_number = r"\d{1,12}(?:\.\d+)?|\.\d+"
_floor = re.compile(rf"(precision|recall) >= ({_number})")
_cost = re.compile(rf"cost miss=({_number}) false_alarm=({_number})")
_alerts = re.compile(r"alerts <= (\d{1,12}) of (\d{1,12}) a day")


def parse_goal(text: str, *, value: float) -> Goal:
    """Return the goal that a text states; ``value`` is the threshold of ``fixed``.

    Raises ValueError, listing the goals that exist.
    """
    words = " ".join(text.split())
    if words == "fixed":
        return Goal(kind="fixed", value=value)
    if words == "max f1":
        return Goal(kind="max f1")
    if (found := _floor.fullmatch(words)) and 0 < float(found[2]) <= 1:
        return Goal.model_validate({"kind": found[1], "value": found[2]})
    if (found := _cost.fullmatch(words)) and float(found[1]) > 0 and float(found[2]) > 0:
        return Goal(kind="cost", miss=float(found[1]), false_alarm=float(found[2]))
    if (found := _alerts.fullmatch(words)) and 0 < int(found[1]) <= int(found[2]):
        return Goal(kind="alerts", alerts=int(found[1]), per_day=int(found[2]))
    raise ValueError(
        f"there is no goal {text!r}; goals are {', '.join(map(repr, GOALS))}, with numbers of your own "
        "(precision and recall over 0 and up to 1, costs over 0, alerts from 1 up to the day's texts; "
        "at most 12 digits)"
    )


class ThresholdConfig(Frozen):
    """The goal that the operating point is chosen for."""

    goal: str = "fixed"
    value: float = Field(0.5, gt=0, le=1)
    """The threshold of the goal ``fixed``."""
    review: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] | None = None
    """Scores between these two are marked for review, their label unchanged; none by default."""
    texts_a_day: int = Field(1000, ge=1)
    """Traffic that a number of alerts a day is told for; the goal ``alerts`` states its own."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        parse_goal(self.goal, value=self.value)
        if self.review and self.review[0] >= self.review[1]:
            raise ValueError(f"review must rise, like [0.4, 0.6]; got {list(self.review)}")
        return self

    @property
    def parsed(self) -> Goal:
        """The goal, parsed."""
        return parse_goal(self.goal, value=self.value)

    @property
    def daily(self) -> int:
        """The texts a day that alerts are told for."""
        return self.parsed.per_day or self.texts_a_day


class MustPass(Frozen):
    """A text whose label is not open to debate."""

    text: str = Field(min_length=1)
    label: str


class BehaviourConfig(Frozen):
    """What should become of a decision when a text is changed in a known way.

    ``away``: the score of the label that was given must not rise by more than 0.1; ``up`` and ``down``: the
    score of the positive label must not fall, or rise, by more than that; ``measured``: nothing is expected.
    """

    rows: int = Field(500, ge=1)
    """Held-out rows that are changed, at most."""
    negation: Literal["away", "up", "down", "measured"] = "measured"
    """What adding "not" should do."""
    link: Literal["up", "down", "measured"] = "measured"
    """What adding a link should do."""


Share = Annotated[float, Field(ge=0, le=1)]
Compared = Literal["f1", "accuracy", "precision", "recall"]


class LabelFloors(Frozen):
    """What one label must reach."""

    min_precision: Share = 0.0
    min_recall: Share = 0.0
    min_f1: Share = 0.0


class GatePolicy(Frozen):
    """What a candidate must reach, and what it may not lose against the version in production."""

    min_rows: int = Field(20, ge=1)
    """Held-out rows that there must be."""
    min_f1: Share = 0.85
    """F1 of the positive label; with more than two labels, macro F1."""
    min_accuracy: Share = 0.0
    labels: dict[str, LabelFloors] = Field(default_factory=dict)
    """Floors of single labels."""
    compared: tuple[Compared, ...] = ("f1", "accuracy")
    """What may not be lower than that of the version in production; precision, recall and F1 are those of
    the positive label, with more than two labels means over the labels. None: floors alone decide."""
    regression: Literal["point", "significant"] = "point"
    """``point``: not lower; ``significant``: not lower by more than chance explains (95 %)."""
    max_regression: Share = 0.0
    """How much lower each may be all the same."""
    slices: tuple[str, ...] = ()
    """What may not fall within any of its slices either: length, source, or a column of data.slices."""
    min_slice_rows: int = Field(30, ge=1)
    """Slices with fewer rows are reported and do not block."""
    max_brier: Share | None = None
    max_ece: Share | None = None
    """Brier score and calibration error of the rows that the model decided, at most."""
    max_latency_ms: float | None = Field(None, gt=0)
    """The 99th percentile of one text alone, on the machine that gates."""
    max_memory_mb: float | None = Field(None, gt=0)
    max_size_mb: float | None = Field(None, gt=0)
    max_flips: Share | None = None
    """Share of the rows whose decision differs from that of the version in production, at most."""
    max_quantization_flips: Share = 0.01
    max_quantization_loss: Share = 0.005
    """Of a quantized encoder: share of the validation rows that int8 decides otherwise, and F1 that it costs,
    at most."""


class Task(Frozen):
    """What is decided: labels, data, estimator, threshold goal and gate policy."""

    name: Name
    labels: tuple[str, ...] = Field(min_length=2)
    positive: str
    description: str = ""
    experiment: str = ""
    model: str = ""
    """MLflow's names; derived from the task's name when left out."""
    data: DataConfig
    estimator: EstimatorConfig = TfidfConfig()
    rules: str = ""
    """File of rules, its path relative to the task's file; none when empty."""
    folding: FoldingConfig = FoldingConfig()
    calibration: Literal["auto", "sigmoid", "isotonic", "none"] = "auto"
    threshold: ThresholdConfig = ThresholdConfig()
    gate: GatePolicy = GatePolicy()
    behaviour: BehaviourConfig = BehaviourConfig()
    must_pass: tuple[MustPass, ...] = ()
    """Texts that a version must decide rightly, or the gate blocks it."""

    @model_validator(mode="before")
    @classmethod
    def _derive_names(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("name"), str):
            name = values["name"]
            return {
                **values,
                "experiment": values.get("experiment") or f"{name}-classification",
                "model": values.get("model") or model_name(name),
            }
        return values

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must differ; got {list(self.labels)}")
        if self.positive not in self.labels:
            raise ValueError(f"positive must be one of the labels {list(self.labels)}; got {self.positive!r}")
        named = {
            "data.rename leads to": self.data.rename.values(),
            "gate.labels holds": self.gate.labels,
            "must_pass expects": [case.label for case in self.must_pass],
        }
        for where, labels in named.items():
            if strays := sorted(set(labels) - set(self.labels)):
                raise ValueError(f"{where} labels that the task does not list: {strays}")
        return self

    @model_validator(mode="after")
    def _nb_compares_two(self) -> Self:
        if isinstance(self.estimator, TfidfConfig) and self.estimator.weighting == "nb" and not self.binary:
            raise ValueError("estimator.weighting 'nb' compares two labels; use 'idf' with more")
        return self

    @property
    def binary(self) -> bool:
        """True with two labels."""
        return len(self.labels) == 2


def model_name(task: str) -> str:
    """Return the registered model's name of a task that names none: ``my-task`` -> ``MyTaskClassifier``."""
    return "".join(part.capitalize() for part in re.split(r"[-_]", task)) + "Classifier"


def faults(error: ValidationError) -> str:
    """Return every fault of a validation in one text, a line each, with its full key path."""
    lines = []
    for fault in error.errors():
        path, given = ".".join(keys_of(fault["loc"])) or "(the whole file)", fault["input"]
        if fault["type"] == "family":
            path, given = f"{path}.family", given["family"]
        what = "is not a key that exists here" if fault["type"] == "extra_forbidden" else fault["msg"]
        lines.append(f"  {path}: {what} (got {given!r:.80})")
    return "\n".join(lines)


def keys_of(places: Sequence[int | str]) -> list[str]:
    """Return a fault's key path; the family that pydantic names behind ``estimator`` is no key."""
    path = [str(part) for part in places]
    return [*path[:1], *path[2:]] if path[:1] == ["estimator"] and path[1:2] and path[1] in FAMILIES else path


def parse_task(values: Mapping[str, Any], *, source: str) -> Task:
    """Return the task that a mapping describes.

    Raises ConfigError, naming ``source`` and every fault with its key path.
    """
    try:
        return Task.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{source} is not a usable task:\n{faults(error)}", source=source) from error


def read_task(path: Path) -> Task:
    """Return the task of a TOML file.

    Raises ConfigError when the file is missing, is not TOML (with line and column) or has faults.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors write a mark first
    except FileNotFoundError as error:
        raise ConfigError(f"There is no task file {str(path)!r}.", path=path) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", path=path) from error
    task = parse_task(values, source=str(path))
    return task.model_copy(update={"rules": str(path.parent / task.rules)}) if task.rules else task


def task_files(folder: Path) -> list[Path]:
    """Return the task files of a folder, sorted; files of rules lie beside them."""
    return sorted(path for path in folder.glob("*.toml") if not path.name.endswith(".rules.toml"))


def find_task(reference: str, folder: Path) -> Task:
    """Return the task named by a path (``x/spam.toml``) or by a name in the folder of tasks.

    Raises ConfigError, listing the names that exist, when there is none.
    """
    if reference.endswith(".toml"):
        return read_task(Path(reference))
    path = folder / f"{reference}.toml"
    if not path.is_file():
        known = [file.stem for file in task_files(folder)]
        raise ConfigError(
            f"There is no task {reference!r} in {str(folder)!r}; it has {known or 'no task files'}. "
            f"Write {path}, or train from a file at once: "
            f"assay train {reference} --data FILE.csv --text COLUMN --label COLUMN",
            task=reference,
            known=known,
        )
    return read_task(path)

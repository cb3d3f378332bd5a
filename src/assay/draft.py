"""A first task file, made from a look at labelled rows; its comments say why each value was chosen."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median_low

from assay.config import GOALS, DataConfig
from assay.datasets import CATALOG, Dataset
from assay.exceptions import ConfigError

SHORT_TEXT = 300
"""Texts whose median has fewer characters than this have so few words that pieces of words help."""
FEW_ROWS = 250
"""With fewer rows to train on than this, what occurs in one row only is counted too."""
EVEN = 0.4
"""From this share on, the rarer of two labels is about as frequent as the other."""
WIDTH = 100

GOALS_IN_WORDS = {
    "fixed": "no choice: `value` as it stands, 0.5 when left out",
    "max f1": "the best balance between what is missed and false alarms",
    "precision >= 0.99": "catch as much as can be with 99 of 100 alarms right",
    "recall >= 0.95": "catch 95 of 100 with as few false alarms as can be",
    "cost miss=5 false_alarm=1": "the least cost, where one miss costs as much as five false alarms",
    "alerts <= 40 of 5000 a day": "catch as much as can be with 40 texts a day to look at",
}
"""What each goal of a threshold is for."""


@dataclass(frozen=True)
class Draft:
    """What a task file is drafted from: labelled rows, and the label that is looked for, with the reason."""

    name: str
    data: DataConfig
    dataset: Dataset
    positive: str
    why: str

    @cached_property
    def counts(self) -> Counter[str]:
        """The number of usable rows of each label, the labels sorted."""
        counts = Counter(self.dataset.training.labels + self.dataset.test.labels)
        return Counter({label: counts[label] for label in sorted(counts)})

    @cached_property
    def lengths(self) -> list[int]:
        """The number of characters of each usable text, sorted."""
        return sorted(map(len, self.dataset.training.texts + self.dataset.test.texts))

    @property
    def binary(self) -> bool:
        """True with two labels."""
        return len(self.counts) == 2

    def share(self, label: str) -> float:
        """Return a label's share of the usable rows."""
        return self.counts[label] / self.counts.total()

    def lines(self) -> list[str]:
        """Return what was seen, for people."""
        counts = ", ".join(
            f"{label} {count:,} ({self.share(label):.1%})" for label, count in self.counts.items()
        )
        usual = self.lengths[int(0.9 * (len(self.lengths) - 1))]
        return [
            *self.dataset.audit.lines(),
            f"labels: {counts}",
            f"characters: half of the texts have {median_low(self.lengths):,} or fewer, "
            f"9 of 10 have {usual:,} or fewer, the longest has {self.lengths[-1]:,}",
            f"looked for: {self.positive!r} ({self.why})",
        ]

    def to_toml(self) -> str:
        """Return the task file."""
        parts = (self._head, self._data, self._estimator, self._threshold, self._gate)
        return "\n".join(line for part in parts for line in part())

    def _head(self) -> Iterator[str]:
        yield from comment(
            f"Drafted by `assay task new` from {self.counts.total():,} usable rows. Every value is a start: "
            "change what you know better."
        )
        yield f"name = {quoted(self.name)}"
        yield 'description = ""  # for people: what is decided, and about which texts'
        yield "labels = ["
        for label, count in self.counts.items():
            yield f"    {quoted(label)},  # {rows_of(count)}, {self.share(label):.1%}"
        yield "]"
        why = self.why.partition(";")[0]
        yield f"positive = {quoted(self.positive)}  # the label that is looked for: {why}"
        yield ""
        yield from comment(
            "Rules decide what is obvious before the model is asked: [[rule]] tables with id, pattern, "
            "label, action and examples. Write some into this file, uncomment its line, then: "
            f"assay rules check {self.name}"
        )
        yield f"# rules = {quoted(f'{self.name}.rules.toml')}"
        yield ""

    def _data(self) -> Iterator[str]:
        yield "[data]"
        source = source_of(self.data.source)
        if source not in CATALOG and not Path(source).is_absolute():
            yield from comment("Seen from the folder in which assay is started.")
        yield f"source = {quoted(source)}"
        for key in ("text", "label"):
            if column := getattr(self.data, key):
                yield f"{key} = {quoted(column)}"
        yield ""

    def _estimator(self) -> Iterator[str]:
        rows, middle = len(self.dataset.training), median_low(self.lengths)
        typical = f"Half of the texts have {middle:,} characters or fewer"
        yield "[estimator]"
        if middle < SHORT_TEXT:
            yield from comment(f"{typical}: pieces of words add to what so few words tell.")
            yield "char_ngrams = [2, 5]"
        else:
            yield from comment(
                f"{typical}: their words tell enough. Pieces of words would make training several times as "
                "long:"
            )
            yield "# char_ngrams = [2, 5]"
        if rows < FEW_ROWS:
            yield from comment(f"With {rows:,} rows to train on, what occurs in a single one counts too.")
            yield "min_df = 1"
        else:
            yield from comment("What occurs in a single row is left out: it says nothing about other texts.")
            yield "min_df = 2"
        yield from self._weights()

    def _weights(self) -> Iterator[str]:
        rarest = min(self.counts, key=self.counts.__getitem__)
        if self.binary:
            yield from comment(
                f"The rarer label has {self.share(rarest):.1%} of the rows. With two labels the threshold "
                "makes up for that, and weights would not help."
                if self.share(rarest) < EVEN
                else "Both labels have about as many rows."
            )
            yield 'class_weight = "none"'
        else:
            yield from comment(
                f"Rows of rare labels count more in the fit, down to {quoted(rarest)} with "
                f"{self.share(rarest):.1%}: the gate's macro F1 asks as much of each label. Calibration "
                "takes the weights out of the scores again, so that these stay probabilities."
            )
            yield 'class_weight = "balanced"'
        strength, others = (10.0, "3 and 30") if self.binary else (3.0, "1 and 10")
        yield from comment(f"How closely the rows are fitted; when the report disappoints, try {others}.")
        yield f"C = {strength}"
        yield ""

    def _threshold(self) -> Iterator[str]:
        yield "[threshold]"
        yield from comment(
            "What the threshold is chosen for, by scores of rows that were held out of the fit:"
        )
        yield f'goal = "max f1"  # {GOALS_IN_WORDS["max f1"]}'
        yield from comment("Other goals, with numbers of your own:")
        for goal in (each for each in GOALS if each != "max f1"):
            yield f'# goal = "{goal}"  # {GOALS_IN_WORDS[goal]}'
        yield "# texts_a_day = 1000  # your traffic, for which alerts a day are told"
        yield ""

    def _gate(self) -> Iterator[str]:
        # A guess that follows the labels' shares has an expected precision and recall of that share.
        blind = self.share(self.positive) if self.binary else 1 / len(self.counts)
        measure = f"F1 of {quoted(self.positive)}" if self.binary else "Macro F1"
        yield "[gate]"
        yield from comment(
            f"{measure}. Guessing by the labels' shares reaches {blind:.2f}; the floor is half way from "
            "there to 1. It is a start: raise it to what your versions reach."
        )
        yield f"min_f1 = {int((1 + blind) / 2 * 20) / 20:.2f}"
        yield ""


def source_of(source: str) -> str:
    """Return a source as a task file writes it: a path below the current folder is relative to it."""
    path = Path(source)
    if not path.is_absolute() or not path.is_relative_to(Path.cwd()):
        return source
    relative = str(path.relative_to(Path.cwd()))
    return f"./{relative}" if relative in CATALOG else relative


def quoted(text: str) -> str:
    """Return a text as a basic string of TOML, what cannot be seen escaped.

    Raises ConfigError for a text that is not valid Unicode, which TOML cannot hold.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{text!r} is not valid Unicode, and a task file cannot hold it. Rename it where it comes from.",
            text=text,
        ) from error
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character) or f"\\U{ord(character):08x}"


def comment(text: str) -> list[str]:
    """Return a text as lines of a comment."""
    return [
        f"# {line}" for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    ]


def rows_of(count: int) -> str:
    """Return a number of rows in words."""
    return f"{count:,} row{'' if count == 1 else 's'}"

"""Labelled rows, and a dataset: three sides that share no text, with the account of how they came to be."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from assay.datasets.fingerprint import fingerprint_of, fingerprint_of_sides
from assay.datasets.splitting import SIDES
from assay.datasets.validation import Audit


@dataclass(frozen=True)
class Rows:
    """Texts and their labels, in parallel lists of one length."""

    texts: list[str]
    labels: list[str]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise ValueError(f"there are {len(self.texts)} texts for {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(self.texts + other.texts, self.labels + other.labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the exact texts and labels in any order."""
        return fingerprint_of(self.texts, self.labels)


@dataclass(frozen=True)
class Dataset:
    """The rows of a task by side; no text is on two sides.

    ``name`` is what the task calls its source (a named set, a path), ``source`` says what that stands for.
    """

    name: str
    source: str
    train: Rows
    validation: Rows
    test: Rows
    audit: Audit
    licence: str = ""
    citation: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of all three sides; another split of the same rows has another."""
        return fingerprint_of_sides({side: self.side(side).fingerprint for side in SIDES})

    @cached_property
    def training(self) -> Rows:
        """The rows that the final fit uses: train and validation together."""
        return self.train + self.validation

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are present, sorted."""
        return tuple(sorted({label for side in SIDES for label in self.side(side).labels}))

    def side(self, name: str) -> Rows:
        """Return the rows of ``train``, ``validation`` or ``test``."""
        rows: Rows = getattr(self, name)
        return rows

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of rows by side and label: ``{"train": {"ham": 3000, ...}, ...}``."""
        found = {side: Counter(self.side(side).labels) for side in SIDES}
        return {side: {label: found[side][label] for label in self.labels} for side in SIDES}

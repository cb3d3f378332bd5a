"""Labelled rows, and a dataset: three sides that share no text, with the account of how they came to be."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.datasets.fingerprint import fingerprint_of, fingerprint_of_sides, order_of
from assay.datasets.resemblance import near_duplicates
from assay.datasets.splitting import SIDES
from assay.datasets.validation import Audit


@dataclass(frozen=True)
class Rows:
    """Texts and their labels, in parallel lists of one length; ``columns`` are what reports are sliced by."""

    texts: list[str]
    labels: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in (self.labels, *self.columns.values()):
            if len(self.texts) != len(column):
                raise ValueError(f"there are {len(self.texts)} texts for {len(column)} labels or values")

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: "Rows") -> "Rows":
        both = [name for name in self.columns if name in other.columns]
        columns = {name: self.columns[name] + other.columns[name] for name in both}
        return Rows(self.texts + other.texts, self.labels + other.labels, columns)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the exact texts and labels in any order."""
        return fingerprint_of(self.texts, self.labels)

    @cached_property
    def order(self) -> list[int]:
        """The places of the rows in an order that depends on nothing but what the rows are.

        Texts and labels alone order rows that differ in one of them; equal ones are ordered by their columns.
        """
        return order_of(self.texts, self.labels, self.columns)


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
    added: Rows | None = None
    """Rows of ``train`` that come from elsewhere: what feedback has labelled."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of all three sides; another split of the same rows has another."""
        return fingerprint_of_sides({side: self.side(side).fingerprint for side in SIDES})

    @cached_property
    def training(self) -> Rows:
        """The rows that the final fit uses: train and validation together."""
        return self.train + self.validation

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """Which test rows nearly repeat a row of ``training``, in the order of ``test``, shape (rows,)."""
        return near_duplicates(self.test.texts, self.training.texts)

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

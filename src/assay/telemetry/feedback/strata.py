"""Decisions counted by kind: what must be alike before those with a label may stand for those without."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assay.telemetry.decisions.record import Record
from assay.telemetry.feedback.lines import Counted

BINS = (0.3, 0.5, 0.7, 0.9, 0.98)
"""Edges between the bins of confidence."""


class Stratum(NamedTuple):
    """One kind of decision: label given, tier, whether it is marked for review, and bin of confidence."""

    label: str
    decided_by: str
    review: bool
    bin: int


def stratum_of(label: str, decided_by: str, review: bool, confidence: float) -> Stratum:
    """Return the kind of a decision; with two labels, confidence and label say what the score says."""
    return Stratum(label, decided_by, review, bisect_right(BINS, confidence))


class Cell:
    """The decisions of one kind: how many, and what the model itself expects of them.

    Where only a share of the decisions is logged, each that is stands for 1 / share; ``noise`` is the
    variance that this gives ``weight``. ``right`` is how many are expected to be right, by their confidence;
    ``right_noise`` and ``wrong_noise`` are the variances of those that are, and of those that are not.
    """

    __slots__ = ("logged", "noise", "right", "right_noise", "weight", "wrong_noise")

    def __init__(self, *values: float) -> None:
        start = values or (0.0,) * len(self.__slots__)
        self.logged, self.weight, self.noise, self.right, self.right_noise, self.wrong_noise = start

    def values(self) -> tuple[float, ...]:
        """Return what makes an equal cell."""
        return self.logged, self.weight, self.noise, self.right, self.right_noise, self.wrong_noise

    def count(self, confidence: float, share: float) -> None:
        """Count one decision."""
        weight = 1.0 / share
        sampled = weight * (weight - 1.0)
        chance = weight * weight * confidence * (1.0 - confidence)
        self.logged += 1
        self.weight += weight
        self.noise += sampled
        self.right += weight * confidence
        self.right_noise += chance + sampled * confidence**2
        self.wrong_noise += chance + sampled * (1.0 - confidence) ** 2

    def add(self, other: "Cell") -> None:
        """Count the decisions of another cell as well."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Kind = tuple[str, str, Stratum]
"""Task, version and kind of decision."""


class Totals:
    """How many decisions there were of each task, version and kind; its size does not grow with them."""

    def __init__(self) -> None:
        self.cells: dict[Kind, Cell] = {}
        self.first: float | None = None
        """When the earliest of them was made."""

    def count(self, record: Record | Counted) -> None:
        """Count one decision of the log."""
        stratum = stratum_of(record.label, record.decided_by, record.review, record.confidence)
        kind = record.task, record.version, stratum
        if (cell := self.cells.get(kind)) is None:
            cell = self.cells[kind] = Cell()
        # A line that somebody made up may hold any number.
        cell.count(min(max(record.confidence, 0.0), 1.0), record.share)
        if self.first is None or record.at < self.first:
            self.first = record.at

    def add(self, other: "Totals") -> None:
        """Count what another has counted as well."""
        for kind, cell in other.cells.items():
            self.cells.setdefault(kind, Cell()).add(cell)
        if other.first is not None:
            self.first = other.first if self.first is None else min(self.first, other.first)

    def versions(self, task: str) -> list[str]:
        """Return the versions of a task that decided something, in the order of their numbers."""
        found = {version for of, version, _ in self.cells if of == task}
        return sorted(found, key=lambda version: (len(version), version))

    def of(self, task: str, version: str) -> dict[Stratum, Cell]:
        """Return the kinds of decisions of one version."""
        return {kind[2]: cell for kind, cell in self.cells.items() if kind[:2] == (task, version)}


def counted(records: Iterable[Record]) -> Totals:
    """Return the totals of some decisions."""
    totals = Totals()
    for record in records:
        totals.count(record)
    return totals


def flat(totals: Totals) -> Iterator[list[object]]:
    """Yield totals as rows of plain values, for a file."""
    for (task, version, stratum), cell in totals.cells.items():
        yield [task, version, *stratum, *cell.values()]


def unflat(rows: Iterable[list[object]], first: float | None) -> Totals:
    """Return the totals that ``flat`` wrote; raises ValueError or TypeError for anything else."""
    totals = Totals()
    totals.first = first
    for task, version, label, decided_by, review, place, *values in rows:
        stratum = Stratum(str(label), str(decided_by), bool(review), int(str(place)))
        totals.cells[str(task), str(version), stratum] = Cell(*(float(str(value)) for value in values))
    return totals

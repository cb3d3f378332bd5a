"""Two reports on the same rows, paired row by row."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assay.evaluation import Grouping, PairedComparison, Report, Rowwise, compare_decisions

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """What is true of each row and what each version decided, as numbers of the candidate's labels.

    ``groups`` and ``theirs`` are the groupings of the candidate's report and of the champion's.
    """

    truth: Numbers
    champion: Numbers
    candidate: Numbers
    labels: int
    positive: int | None
    groups: dict[str, Grouping]
    theirs: dict[str, Grouping]

    @classmethod
    def of(cls, candidate: Report, champion: Report) -> Self:
        """Return the pair of two reports of the same labels and rows; their labels may stand in any order."""
        ours, theirs = held(candidate), held(champion)
        return cls(
            truth=ours.true_labels,
            champion=_renumbered(theirs.decided_labels, champion, candidate),
            candidate=ours.decided_labels,
            labels=len(candidate.labels),
            positive=candidate.labels.index(candidate.positive) if candidate.binary else None,
            groups=ours.groups,
            theirs=theirs.groups,
        )

    def compare(self, chosen: NDArray[np.bool_] | slice = slice(None)) -> PairedComparison:
        """Return how the versions compare on the rows or on some of them, that in production first."""
        return compare_decisions(
            self.truth[chosen],
            self.champion[chosen],
            self.candidate[chosen],
            labels=self.labels,
            positive=self.positive,
        )


def held(report: Report) -> Rowwise:
    """Return the rows of a report that has them."""
    if report.rowwise is None:
        raise ValueError("only reports that hold their rows can be paired")
    return report.rowwise


def same_truth(candidate: Report, champion: Report) -> bool:
    """Return whether two reports of the same labels agree what is true of each row."""
    ours, theirs = held(candidate).true_labels, held(champion).true_labels
    return np.array_equal(ours, _renumbered(theirs, champion, candidate))


def _renumbered(numbers: Numbers, old: Report, new: Report) -> Numbers:
    """Return label numbers of one report as those of another with the same labels."""
    return np.array([new.labels.index(label) for label in old.labels])[numbers]

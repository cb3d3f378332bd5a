"""Made-up versions of two labels, side by side: how rows fall that two versions decide."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Pair(NamedTuple):
    """A version in production and a candidate, as shares of the rows that they meet.

    ``positives`` is the share of rows with the positive label, ``f1`` that of the version in production,
    which misses as many rows as it raises false alarms. On the share ``differ`` of all rows only one of the
    two is right, half of it among the positives; ``change`` is the candidate's F1 less production's.
    """

    positives: float
    f1: float
    differ: float
    change: float

    def cells(self) -> Floats:
        """Return the share of rows by truth, production's and the candidate's decision; shape (2, 2, 2).

        Misses and false alarms being equal, F1 is 1 - errors / (2 positives). Raises ValueError where no
        two versions are so.
        """
        errors = 2 * self.positives * (1 - self.f1)
        lost = (self.differ - 2 * self.positives * self.change) / 2
        won = self.differ - lost
        cells = np.zeros((2, 2, 2))
        for truth, share in ((0, 1 - self.positives), (1, self.positives)):
            other = 1 - truth
            cells[truth, truth, other] = lost / 2
            cells[truth, other, truth] = won / 2
            cells[truth, other, other] = errors / 2 - won / 2
            cells[truth, truth, truth] = share - errors / 2 - lost / 2
        if cells.min() < -1e-12:
            raise ValueError(f"no two versions are like {self}")
        shares: Floats = np.maximum(cells, 0) / np.maximum(cells, 0).sum()
        return shares

    def drawn(self, rows: int, draws: int, rng: np.random.Generator) -> Counts:
        """Return counts of rows by cell for a number of held-out sets; shape (draws, 2, 2, 2)."""
        return rng.multinomial(rows, self.cells().ravel(), size=draws).reshape(draws, 2, 2, 2)

    def exists(self) -> bool:
        """Return whether two versions can be so."""
        try:
            return bool(len(self.cells()))
        except ValueError:
            return False

    def facts(self) -> dict[str, Any]:
        """Return the pair as results hold it."""
        return self._asdict()


def worst(positives: float, differ: float) -> float:
    """Return how far F1 falls where production is right on all rows on which only one of the two is."""
    return -differ / (2 * positives)

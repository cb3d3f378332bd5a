"""All statistics of a profile in one vector of counts: a window is one array, adding up one sum."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Observed, Profile, Reference, bins_of

Counts = NDArray[np.int64]


class Binning:
    """Counts decisions into the bins of a profile, the statistics one after the other."""

    def __init__(self, profile: Profile) -> None:
        self.statistics = profile.statistics
        sizes = [len(each.counts) for each in profile.statistics]
        self._starts = list(accumulate(sizes, initial=0))

    @property
    def size(self) -> int:
        """Bins of all statistics together."""
        return self._starts[-1]

    def places(self, observed: Sequence[Observed]) -> NDArray[np.intp]:
        """Return where each decision counts, shape (statistics, decisions); ``size`` where it has no value.

        One more place than there are bins: what has no value is counted there and forgotten.
        """
        places = np.empty((len(self.statistics), len(observed)), np.intp)
        for row, start, reference in zip(places, self._starts, self.statistics, strict=False):
            row[:] = bins_of(reference, observed)
            row[row >= 0] += start
        places[places < 0] = self.size
        return places

    def counts(self, observed: Sequence[Observed]) -> Counts:
        """Return how many decisions fall into each bin, shape (size,)."""
        return self.count(self.places(observed))

    def count(self, places: NDArray[np.intp]) -> Counts:
        """Return how often each bin is among places that ``places`` gave, shape (size,)."""
        return np.bincount(places.ravel(), minlength=self.size + 1)[: self.size]

    def parts(self, counts: Counts) -> Iterator[tuple[Reference, Counts]]:
        """Yield each statistic with its part of a vector of counts, shape (size,)."""
        for reference, start, end in zip(self.statistics, self._starts, self._starts[1:], strict=False):
            yield reference, counts[start:end]

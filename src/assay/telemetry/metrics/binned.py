"""Values that wait to be counted in a histogram, by its buckets."""

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Histogram


class Binned:
    """How many values fall into each bucket of a histogram, and their sum.

    Parameters
    ----------
    bounds
        Upper bounds of the buckets, rising; the last bucket has none.
    """

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value; one on the bound of a bucket is in it."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def join(self, other: "Binned") -> None:
        """Count what another one with the same bounds has."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    def add_to(self, histogram: Histogram) -> None:
        """Count all of it in a histogram with the same bounds."""
        # ``observe`` takes one value, and each time a lock and one or two writes into a file.
        for bucket, count in zip(histogram._buckets, self.counts, strict=True):
            if count:
                bucket.inc(count)
        if self.sum:
            histogram._sum.inc(self.sum)

"""Streams of decisions drawn from what was decided, and what the watch makes of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from assay.estimators import Observation, Profile
from assay.telemetry import BLOCK, WINDOW, Binning, Watch
from benchmarks.intervals import CONFIDENCE, share

PROMISED = 2_000
"""Decisions within which a change should be found."""
LONGEST = 10_000
"""Decisions after which a change counts as not found."""


class Population:
    """Decisions to draw from, each already at its places in the bins of a profile."""

    def __init__(self, profile: Profile, seen: Sequence[Observation]) -> None:
        self.profile, self.seen = profile, seen
        self.binning = Binning(profile)
        self.places = self.binning.places(seen)

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the counts of so many decisions, drawn with replacement."""
        return self.binning.count(self.places[:, rng.integers(len(self.seen), size=size)])


class Change(NamedTuple):
    """A stream that is drawn from ``usual`` first and from a mixture then: shares with what they are of."""

    what: str
    share: float
    usual: Population
    mixture: list[tuple[float, Population]]

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the counts of a block after the change."""
        sizes = rng.multinomial(BLOCK, [part for part, _ in self.mixture])
        drawn = [
            population.draw(size, rng) for size, (_, population) in zip(sizes, self.mixture, strict=True)
        ]
        total: NDArray[np.int64] = np.sum(drawn, axis=0, dtype=np.int64)
        return total


def alarms_without_change(
    streams: Iterable[Population], decisions: int, rng: np.random.Generator
) -> Counter[str]:
    """Return how many alarms began in streams without a change, by statistic."""
    alarms: Counter[str] = Counter()
    for population in streams:
        watch = Watch(population.profile)
        for at in range(0, decisions, BLOCK):
            changes = watch.advance(BLOCK, population.draw(BLOCK, rng), at)
            alarms.update(change.name for change in changes if change.begins)
    return alarms


def rate(alarms: Counter[str], decisions: int, streams: int) -> dict[str, Any]:
    """Return false alarms a million decisions with their exact upper bound (Garwood, Biometrika, 1936)."""
    count = alarms.total()
    upper = float(chi2.ppf(CONFIDENCE, 2 * (count + 1))) / 2
    return {
        "streams": streams,
        "decisions": decisions,
        "alarms": count,
        "by_statistic": dict(alarms),
        "a_million": count / decisions * 1e6,
        "upper": upper / decisions * 1e6,
    }


def delays(change: Change, runs: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return after how many decisions a change is found, over runs of streams that change."""
    found: list[int] = []
    first: Counter[str] = Counter()
    false = 0
    for _ in range(runs):
        watch = Watch(change.usual.profile)
        for _ in range(WINDOW // BLOCK + 5):
            false += any(each.begins for each in watch.advance(BLOCK, change.usual.draw(BLOCK, rng), 0.0))
        watch.alarms.clear()
        after = 0
        while after < LONGEST:
            after += BLOCK
            if begun := [
                each.name for each in watch.advance(BLOCK, change.draw(rng), float(after)) if each.begins
            ]:
                first.update(begun)
                found.append(after)
                break
    within = sum(delay <= PROMISED for delay in found)
    times = [*found, *[np.inf] * (runs - len(found))]
    # An order of runs that is, and not one between two: some were never found.
    median, late = (float(np.quantile(times, q, method="higher")) for q in (0.5, 0.95))
    return {
        "what": change.what,
        "share": change.share,
        "runs": runs,
        "within": share(within, runs),
        "found": share(len(found), runs),
        "median": median if np.isfinite(median) else None,
        "p95": late if np.isfinite(late) else None,
        "first": dict(first.most_common()),
        "false_before": false,
    }

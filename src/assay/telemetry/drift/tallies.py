"""What one worker has counted since it began, by task and version."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Profile
from assay.telemetry.decisions.seen import Watched
from assay.telemetry.drift.binning import Binning
from assay.telemetry.drift.sharing import Pair, Total

Profiles = Callable[[str, str], Profile | None]
"""From a task and a version's number to its profile."""

MOST_VERSIONS = 32
"""Versions that are kept count of at the same time; beyond, the one that decided longest ago is forgotten."""


@dataclass(slots=True)
class Tally:
    """The counts of one version."""

    decisions: int = 0
    profile: Profile | None = None
    binning: Binning | None = None
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def take(self, profile: Profile) -> None:
        """Count into a profile's bins from now on."""
        self.decisions, self.profile, self.binning = 0, profile, Binning(profile)
        self.counts = np.zeros(self.binning.size, np.int64)


class Tallies:
    """Counts decisions into the bins of their versions' profiles, in memory that has a bound."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._tallies: OrderedDict[Pair, Tally] = OrderedDict()

    def add(self, decisions: Sequence[Watched]) -> None:
        """Count decisions."""
        for pair, group in grouped(decisions):
            tally = self._tallies.setdefault(pair, Tally())
            self._tallies.move_to_end(pair)
            # Asked again each time: a version that is not known yet may be in a moment.
            if tally.binning is None and (profile := self._profiles(*pair)):
                tally.take(profile)
            tally.decisions += len(group)
            if tally.binning:
                tally.counts = tally.counts + tally.binning.counts(group)
        while len(self._tallies) > MOST_VERSIONS:
            self._tallies.popitem(last=False)

    def totals(self) -> dict[Pair, Total]:
        """Return what was counted; arrays that are never changed."""
        return {pair: Total(tally.decisions, tally.counts) for pair, tally in self._tallies.items()}

    def profiles(self) -> dict[Pair, Profile]:
        """Return the profiles that are counted by."""
        return {pair: tally.profile for pair, tally in self._tallies.items() if tally.profile}


def grouped(decisions: Sequence[Watched]) -> Iterator[tuple[Pair, Sequence[Watched]]]:
    """Yield each version with its decisions."""
    first = (decisions[0].task, decisions[0].version) if decisions else ("", "")
    if all(each.version == first[1] and each.task == first[0] for each in decisions):
        if decisions:
            yield first, decisions
        return

    def pair_of(decision: Watched) -> Pair:
        return decision.task, decision.version

    for pair, group in groupby(sorted(decisions, key=pair_of), key=pair_of):
        yield pair, list(group)

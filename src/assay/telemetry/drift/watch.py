"""One version's stream of decisions against its profile: windows, looks, alarms.

Decisions come in blocks; after each the newest blocks, a window, are compared with the profile in every
statistic. Looking after each block is looking often: each test is therefore held to a share of what false
alarms are allowed per decision, by Bonferroni's inequality over tests and looks, which holds however much
windows overlap and statistics depend on each other. docs/decisions/drift.md has reasons and measurements.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Profile, Reference
from assay.telemetry.drift.binning import Binning
from assay.telemetry.drift.distances import Distance, distance_of, tests_of
from assay.telemetry.drift.sentences import sentence

Counts = NDArray[np.int64]

BLOCK = 100
"""Decisions between two looks, at least."""
WINDOW = 1_000
"""Decisions that are compared with the profile, at least."""
FALSE_ALARMS = 1e-6
"""False alarms a decision that the tests may give at most, all statistics together: one in a million."""
FEWEST_ROWS = 100
"""Reference rows below which nothing is tested: too few to tell what is usual."""
SHARE_MATTERS = 0.02
"""PSI beyond chance from which a change of shares matters: 50 % to 57 %, or 13 % to 18 %."""
DISTRIBUTION_MATTERS = 0.1
"""The same for numbers: by custom a smaller PSI is no change of the population (Siddiqi, 2006)."""


class Change(NamedTuple):
    """An alarm that begins or ends."""

    name: str
    begins: bool
    told: str
    """What is different, or was."""


class Alarm(NamedTuple):
    """A statistic that is not as it was."""

    since: float
    quiet: int
    """Decisions since a look last found it different."""


class Watch:
    """Compares the decisions of one version with its profile, in memory that does not grow."""

    def __init__(self, profile: Profile) -> None:
        self.profile, self.binning = profile, Binning(profile)
        self.decisions = 0
        self.blocks: deque[tuple[int, Counts]] = deque()
        self.alarms: dict[str, Alarm] = {}
        self.distances: dict[str, Distance] = {}
        self._open = 0, np.zeros(self.binning.size, np.int64)
        self._tested = {each.name for each in profile.statistics if each.rows >= FEWEST_ROWS}
        self.alpha = level_of(profile)

    @property
    def held(self) -> int:
        """Decisions in the window."""
        return sum(decisions for decisions, _ in self.blocks)

    @property
    def reason(self) -> str | None:
        """Why nothing is compared, or None."""
        if not self._tested:
            return f"its profile has {self.profile.rows:,} rows; {FEWEST_ROWS:,} are needed"
        if self.held < WINDOW:
            return f"too few decisions yet: {self.held + self._open[0]:,}; {WINDOW:,} are needed"
        return None

    def advance(self, decisions: int, counts: Counts, at: float) -> list[Change]:
        """Take in so many decisions, counted into the profile's bins; return which alarms begin and end.

        ``at`` is now, in seconds since the epoch.
        """
        self.decisions += decisions
        opened, so_far = self._open
        self._open = opened + decisions, so_far + counts
        if self._open[0] < BLOCK:
            return []
        block, self._open = self._open, (0, np.zeros(self.binning.size, np.int64))
        self.blocks.append(block)
        while self.held - self.blocks[0][0] >= WINDOW:
            self.blocks.popleft()
        return list(self._look(block[0], at)) if self.reason is None else []

    def _look(self, fresh: int, at: float) -> Iterator[Change]:
        window = np.sum([counts for _, counts in self.blocks], axis=0)
        for reference, counts in self.binning.parts(window):
            if reference.name not in self._tested:
                continue
            found = self.distances[reference.name] = distance_of(reference, counts)
            alarm = self.alarms.get(reference.name)
            if differs(reference, found, self.alpha):
                self.alarms[reference.name] = Alarm(alarm.since if alarm else at, 0)
                if alarm is None:
                    yield Change(reference.name, True, sentence(reference, counts))
            elif alarm and alarm.quiet + fresh < WINDOW:
                self.alarms[reference.name] = alarm._replace(quiet=alarm.quiet + fresh)
            elif alarm:
                del self.alarms[reference.name]
                yield Change(reference.name, False, ended(reference, counts))

    def kept(self) -> dict[str, Any]:
        """Return what another process needs in order to go on, as JSON takes it."""
        return {
            "decisions": self.decisions,
            "blocks": [[held, counts.tolist()] for held, counts in (*self.blocks, self._open)],
            "alarms": {name: list(alarm) for name, alarm in self.alarms.items()},
        }

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Go on where another process ended. Raises ValueError, KeyError or TypeError for what is none."""
        blocks = [(int(held), np.array(counts, np.int64)) for held, counts in kept["blocks"]]
        if not blocks or any(counts.shape != (self.binning.size,) for _, counts in blocks):
            raise ValueError(f"windows of {self.binning.size} bins were expected")
        alarms = {name: Alarm(float(since), int(quiet)) for name, (since, quiet) in kept["alarms"].items()}
        self.decisions, self.alarms = int(kept["decisions"]), alarms
        *rest, self._open = blocks
        self.blocks = deque(rest)


def level_of(profile: Profile) -> float:
    """Return the p-value up to which one test of one look finds a difference."""
    return FALSE_ALARMS * BLOCK / max(1, sum(map(tests_of, profile.statistics)))


def differs(reference: Reference, found: Distance, alpha: float) -> bool:
    """Return whether chance does not explain a distance, and whether it is large enough to matter."""
    matters = SHARE_MATTERS if reference.kind == "categories" else DISTRIBUTION_MATTERS
    return found.p <= alpha and found.psi - found.chance >= matters


def ended(reference: Reference, counts: Counts) -> str:
    """Return that a statistic is again as it was, and where it stands."""
    if not counts.sum():
        return "no decision has a value any more"
    return sentence(reference, counts)

"""The quality of what is decided now, measured again and again beside the service."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from assay.config import Task
from assay.database import Database
from assay.exceptions import DatabaseError
from assay.telemetry.breath import Breath
from assay.telemetry.decisions.slots import Lock
from assay.telemetry.feedback.logtotals import LogTotals
from assay.telemetry.feedback.quality import Figure, Labels, measure
from assay.telemetry.feedback.resolving import Resolver
from assay.telemetry.feedback.strata import Stratum, Totals, stratum_of
from assay.telemetry.feedback.votes import votes
from assay.telemetry.turns import taking_turns

logger = logging.getLogger(__name__)

LOCK = "feedback.lock"
STATE = "feedback.json"
ROUND_SECONDS = 60.0
"""Pause between two rounds of matching feedback with the log, and between two steps of one round."""
STEP_PAUSE_SECONDS = 2.0
STEP_SECONDS = 2.0
"""How long one step may take, but for the piece of work that it is at."""
VOTES = 1_000
"""Votes between two moments at which the work can be laid down."""


class QualitySink(Protocol):
    """Where quality is told; ``Counters`` is one."""

    def quality(
        self, task: str, version: str, values: Mapping[str, tuple[float, float, float]], labels: int
    ) -> None:
        """Say how good a version's decisions are: low, estimate and high of each figure."""


class QualityWatch:
    """Matches feedback with the decision log and tells the quality of each version that decided lately.

    Of all workers over one log folder one does it; another takes over when that one is gone.

    Parameters
    ----------
    tasks
        Returns the tasks that are served.
    metrics
        Told ``precision``, ``recall`` and ``f1`` of the positive label, and ``expected_...``, which need no
        labels.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        tasks: Callable[[], Iterable[Task]],
        metrics: QualitySink,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._folder, self._tasks = database, folder, tasks
        self._metrics, self._now = metrics, now
        self._lock: Lock | None = None
        self._work: Iterator[None] | None = None
        self._totals: LogTotals | None = None
        self._troubled = False

    def step(self, seconds: float = STEP_SECONDS) -> bool:
        """Go on for some seconds and return whether the figures were told; blocks, and raises nothing.

        What is left for the next step goes on where it was.
        """
        if not self._elected():
            return False
        deadline = time.monotonic() + seconds
        try:
            if self._work is None:
                self._work = self._round()
            for _ in self._work:
                if time.monotonic() >= deadline:
                    return False
        except (DatabaseError, OSError) as error:
            self._work = None
            if not self._troubled:
                logger.warning("How good decisions are is not known now: %s", error)
            self._troubled = True
            return False
        self._work, self._troubled = None, False
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Go on again and again while the block runs, in a thread of its own."""
        with taking_turns("live quality", self._turn, ROUND_SECONDS):
            yield
        self.close()

    def _turn(self) -> float:
        return ROUND_SECONDS if self.step() else STEP_PAUSE_SECONDS

    def close(self) -> None:
        """Let another worker do it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _elected(self) -> bool:
        if self._lock is None:
            # There may be no log yet.
            with suppress(OSError):
                self._lock = Lock.take(self._folder / LOCK)
        return self._lock is not None

    def _round(self) -> Iterator[None]:
        if self._totals is None:
            self._totals = LogTotals(self._folder, self._folder / STATE, now=self._now)
        resolver = Resolver(self._database, self._folder, cursor=self._totals.cursor, now=self._now)
        yield from resolver.round()
        self._totals.cursor = resolver.cursor
        yield from self._totals.round()
        totals = self._totals.totals()
        for task in self._tasks():
            yield from self._tell(task, totals)

    def _tell(self, task: Task, totals: Totals) -> Iterator[None]:
        versions = totals.versions(task.name)
        if not versions:
            return
        labels: dict[str, dict[Stratum, dict[str, int]]] = {version: {} for version in versions}
        given = votes(self._database, task.name, since=totals.first or 0.0, until=self._now() + STEP_SECONDS)
        breath = Breath()
        for number, vote in enumerate(given, start=1):
            if vote.label is not None and vote.version in labels:
                stratum = stratum_of(vote.decided, vote.decided_by, vote.review, vote.confidence)
                of = labels[vote.version].setdefault(stratum, {})
                of[vote.label] = of.get(vote.label, 0) + 1
            breath.take()
            if number % VOTES == 0:
                yield
        for version in versions:
            self._tell_version(task, version, totals, labels[version])
            yield

    def _tell_version(self, task: Task, version: str, totals: Totals, labels: Labels) -> None:
        found = measure(totals.of(task.name, version), labels, task.positive, count=len(task.labels))
        count = sum(sum(given.values()) for given in labels.values())
        values = _values(found.measured, "") if count else {}
        values |= _values(found.expected, "expected_")
        self._metrics.quality(task.name, version, values, count)


def _values(figures: Mapping[str, Figure | None], prefix: str) -> dict[str, tuple[float, float, float]]:
    return {
        f"{prefix}{name}": (figure.low, figure.estimate, figure.high)
        for name, figure in figures.items()
        if figure is not None
    }

"""Watches what a service decides: counts off the request path, compares once a second, tells of alarms."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.telemetry.decisions.seen import Watched
from assay.telemetry.drift.leader import DriftSink, Leader
from assay.telemetry.drift.sharing import Alone, Shared, Sharing
from assay.telemetry.drift.tallies import Profiles, Tallies
from assay.telemetry.turns import taking_turns

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Pause between two looks at what was counted."""


class DriftMonitor:
    """Compares the decisions of a service with the profiles of the versions that made them.

    Parameters
    ----------
    profiles
        From a task and a version's number to its profile; None where there is none (yet).
    metrics
        Where distances and alarms are counted.
    folder
        What the workers of a service share; without it this process is alone.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        profiles: Profiles,
        metrics: DriftSink,
        folder: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sharing: Sharing = Shared(folder) if folder else Alone()
        self._tallies = Tallies(profiles)
        self._leader = Leader(self._sharing, metrics)
        self._clock = clock
        self._lock = threading.Lock()
        self._trouble = ""

    def observe(self, decisions: Sequence[Watched]) -> None:
        """Count decisions; takes microseconds each, and no file is touched."""
        with self._lock:
            self._tallies.add(decisions)

    def look(self) -> None:
        """Tell the other workers what was counted; where this one is elected, compare and tell of alarms.

        What fails (a full disk, a folder that is gone) is logged, once in a row, and tried again next time.
        """
        try:
            with self._lock:
                totals, profiles = self._tallies.totals(), self._tallies.profiles()
            self._sharing.publish(totals, profiles)
            if self._sharing.elected():
                self._leader.look(self._clock())
            self._trouble = ""
        except OSError as error:
            trouble = f"{error.strerror or error}"
            if trouble != self._trouble:
                logger.error("The watch on drift cannot go on for now: %s.", trouble)
            self._trouble = trouble

    def state(self) -> dict[str, Any]:
        """Return for each task what drifts, or why that cannot be told, as ``/health`` shows it."""
        found = self._sharing.kept("health")
        return found if isinstance(found, dict) else {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look once a second, in a thread of its own, while the block runs, and once more at its end."""
        with taking_turns("drift", self._turn, LOOK_SECONDS):
            yield
        self.look()
        self._sharing.close()

    def _turn(self) -> float:
        self.look()
        return LOOK_SECONDS

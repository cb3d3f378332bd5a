"""The worker that adds up what all have counted: windows, alarms, metrics, what ``/health`` tells."""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

from assay.telemetry.drift.sharing import Pair, Sharing, Total
from assay.telemetry.drift.watch import Change, Watch

logger = logging.getLogger(__name__)

NO_PROFILE = (
    "no profile is known: the version was made before there were profiles or was imported without rows "
    "(train again to get one), or it is asked for by its number and not in production"
)


class DriftSink(Protocol):
    """Where drift is counted; ``Counters`` is one."""

    def drift(
        self, task: str, version: str, scores: Mapping[str, float], alarms: Collection[str], decisions: int
    ) -> None:
        """Say how far each statistic of a version lies from its profile, and which are alarms."""


@dataclass(slots=True)
class Followed:
    """A version whose decisions are compared."""

    looked: Total
    """What was counted when it was last looked at."""
    at: float
    watch: Watch | None


class Leader:
    """Compares what all workers counted, in turns; goes on where a leader before it ended."""

    def __init__(self, sharing: Sharing, metrics: DriftSink) -> None:
        self._sharing, self._metrics = sharing, metrics
        self._followed: dict[Pair, Followed] = {}
        self._resumed = False

    def look(self, now: float) -> None:
        """Take in what was counted since the last look, and tell what comes of it; raises OSError."""
        totals = self._sharing.totals()
        if not self._resumed:
            self._resume()
            self._resumed = True
        for pair in set(self._followed) - set(totals):
            del self._followed[pair]
        advanced = [pair for pair, total in totals.items() if self._advance(pair, total, now)]
        if not advanced:
            return
        self._sharing.keep("windows", list(self._windows()))
        self._sharing.keep("health", self._health())

    def _advance(self, pair: Pair, total: Total, now: float) -> bool:
        """Take in what is new of one version; return whether there was anything."""
        followed = self._followed.get(pair)
        if followed is None or total.counts.shape != followed.looked.counts.shape:
            followed = self._follow(pair, Total(0, np.zeros_like(total.counts)), now)
        elif total.decisions < followed.looked.decisions or (total.counts < followed.looked.counts).any():
            # A worker forgot the version meanwhile, so that only what comes from now on is known to be new.
            followed = self._follow(pair, total, now)
        self._followed[pair] = followed
        decisions = total.decisions - followed.looked.decisions
        if not decisions:
            return False
        counts = total.counts - followed.looked.counts
        followed.looked, followed.at = total, now
        if followed.watch:
            for change in followed.watch.advance(decisions, counts, now):
                tell(pair, change)
            scores = {name: found.psi for name, found in followed.watch.distances.items()}
            self._metrics.drift(*pair, scores, list(followed.watch.alarms), followed.watch.decisions)
        return True

    def _follow(self, pair: Pair, looked: Total, now: float) -> Followed:
        profile = self._sharing.profile(pair)
        return Followed(looked, now, Watch(profile) if profile and len(looked.counts) else None)

    def _windows(self) -> Iterator[dict[str, Any]]:
        for pair, followed in self._followed.items():
            yield {
                "pair": pair,
                "at": followed.at,
                "looked": [followed.looked.decisions, followed.looked.counts.tolist()],
                "watch": followed.watch.kept() if followed.watch else None,
            }

    def _resume(self) -> None:
        """Go on with the windows of a leader that ended; without them, or with damaged ones, begin anew."""
        try:
            for kept in self._sharing.kept("windows") or ():
                task, version = kept["pair"]
                decisions, counts = kept["looked"]
                looked = Total(int(decisions), np.array(counts, np.int64))
                followed = self._follow((task, version), looked, float(kept["at"]))
                if followed.watch:
                    followed.watch.resume(kept["watch"])
                self._followed[task, version] = followed
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("The windows of the watch on drift cannot be read (%r); they begin anew.", error)
            self._followed.clear()

    def _health(self) -> dict[str, Any]:
        """Return the state of each task's version that decided last."""
        latest: dict[str, tuple[str, Followed]] = {}
        for (task, version), followed in self._followed.items():
            if task not in latest or followed.at >= latest[task][1].at:
                latest[task] = version, followed
        return {task: state_of(version, followed) for task, (version, followed) in sorted(latest.items())}


def state_of(version: str, followed: Followed) -> dict[str, Any]:
    """Return what ``/health`` shows of a version: its distances, or why there are none."""
    watch = followed.watch
    if watch is None:
        return {
            "version": version,
            "decisions": followed.looked.decisions,
            "reason": NO_PROFILE,
            "statistics": {},
        }
    statistics = {
        name: {
            "psi": round(found.psi, 4),
            "p": found.p,
            "alarm_since": moment(watch.alarms[name].since) if name in watch.alarms else None,
        }
        for name, found in watch.distances.items()
    }
    return {
        "version": version,
        "decisions": watch.decisions,
        "reason": watch.reason,
        "statistics": statistics,
    }


def tell(pair: Pair, change: Change) -> None:
    """Log that an alarm begins or ends."""
    task, version = pair
    who = f"{task} {version}" if version else task
    if change.begins:
        logger.warning(
            "Drift of %s (%s): %s; look with: assay drift %s --since 1h", who, change.name, change.told, task
        )
    else:
        logger.info("Drift of %s (%s) is over: %s", who, change.name, change.told)


def moment(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

"""What the workers of a service tell each other of drift: files in the folder of its run.

Each worker keeps a file of what it has counted since it began; the counts of one that died stay. One worker,
the one that holds a lock, adds all of them up and keeps its windows in a file, with which another goes on.
"""

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import ValidationError

from assay.estimators import Profile
from assay.telemetry.decisions.slots import Lock

logger = logging.getLogger(__name__)

Pair = tuple[str, str]
"""A task and a version's number."""


class Total(NamedTuple):
    """What was counted of one version; ``counts`` is empty where there is no profile."""

    decisions: int
    counts: NDArray[np.int64]

    def plus(self, other: "Total") -> "Total":
        """Return both together; where the bins differ, those of the one that has more of them."""
        if self.counts.shape == other.counts.shape:
            return Total(self.decisions + other.decisions, self.counts + other.counts)
        return max(self, other, key=lambda each: len(each.counts))


Totals = Mapping[Pair, Total]


class Sharing(Protocol):
    """Where counts, profiles and windows are kept."""

    def publish(self, totals: Totals, profiles: Mapping[Pair, Profile]) -> None:
        """Tell the other workers what this one has counted since it began, and by which profiles."""

    def elected(self) -> bool:
        """Return whether this worker is the one that adds up and tests."""

    def totals(self) -> Totals:
        """Return what all workers have counted."""

    def profile(self, pair: Pair) -> Profile | None:
        """Return the profile of a version that a worker counts by."""

    def keep(self, name: str, content: Any) -> None:
        """Keep something of the elected worker's under a name."""

    def kept(self, name: str) -> Any:
        """Return what was kept under a name; None when there is nothing that can be read."""

    def close(self) -> None:
        """Let another worker be elected."""


class Alone:
    """Of a service of one process without a folder: nothing to share."""

    def __init__(self) -> None:
        self._totals: Totals = {}
        self._profiles: Mapping[Pair, Profile] = {}
        self._kept: dict[str, Any] = {}

    def publish(self, totals: Totals, profiles: Mapping[Pair, Profile]) -> None:
        """Keep the totals."""
        self._totals, self._profiles = totals, profiles

    def elected(self) -> bool:
        """Return True."""
        return True

    def totals(self) -> Totals:
        """Return what was published."""
        return self._totals

    def profile(self, pair: Pair) -> Profile | None:
        """Return a profile that was published."""
        return self._profiles.get(pair)

    def keep(self, name: str, content: Any) -> None:
        """Keep something under a name."""
        self._kept[name] = content

    def kept(self, name: str) -> Any:
        """Return what was kept under a name."""
        return self._kept.get(name)

    def close(self) -> None:
        """Do nothing."""


class Shared:
    """Of the workers of one service: files in a folder, which the first of them makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # No other worker has the name, nor one that died: process ids recur.
        self._mine = folder / f"counts-{os.getpid()}-{uuid.uuid4().hex}.json"
        self._published: Totals = {}
        self._read: dict[Path, tuple[int, Totals]] = {}
        self._profiles: dict[Pair, Profile] = {}
        self._lock: Lock | None = None

    def publish(self, totals: Totals, profiles: Mapping[Pair, Profile]) -> None:
        """Replace this worker's file if anything was counted; raises OSError on a full disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for pair, profile in profiles.items():
            if self._profiles.get(pair) is not profile:
                self._replace(self._profile_of(pair), profile.to_json().encode())
                self._profiles[pair] = profile
        told = {pair: total.decisions for pair, total in totals.items()}
        if told == {pair: total.decisions for pair, total in self._published.items()}:
            return
        lines = [[*pair, total.decisions, total.counts.tolist()] for pair, total in totals.items()]
        self._replace(self._mine, orjson.dumps(lines))
        self._published = totals

    def elected(self) -> bool:
        """Return whether this worker holds the lock, which dies with it; free, it is taken."""
        if self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock.take(self.folder / "leader")
        return self._lock is not None

    def close(self) -> None:
        """Let another worker be elected."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def totals(self) -> Totals:
        """Return the sums over all workers' files; of a file that is damaged what it last held counts."""
        summed: dict[Pair, Total] = {}
        for path in sorted(self.folder.glob("counts-*.json")):
            for pair, total in self._totals_of(path).items():
                summed[pair] = summed[pair].plus(total) if pair in summed else total
        return summed

    def profile(self, pair: Pair) -> Profile | None:
        """Return the profile that a worker published; None when there is none that can be read."""
        if pair not in self._profiles:
            with suppress(OSError, ValidationError):
                self._profiles[pair] = Profile.model_validate_json(self._profile_of(pair).read_bytes())
        return self._profiles.get(pair)

    def keep(self, name: str, content: Any) -> None:
        """Replace a file; raises OSError on a full disk."""
        self._replace(self.folder / f"{name}.json", orjson.dumps(content))

    def kept(self, name: str) -> Any:
        """Return what a file holds; None where there is none or it is damaged."""
        with suppress(OSError, orjson.JSONDecodeError):
            return orjson.loads((self.folder / f"{name}.json").read_bytes())
        return None

    def _totals_of(self, path: Path) -> Totals:
        changed, found = self._read.get(path, (0, {}))
        now = path.stat().st_mtime_ns
        if now == changed:
            return found
        try:
            found = totals_in(orjson.loads(path.read_bytes()))
        except (ValueError, TypeError) as error:
            logger.warning("The counts %s cannot be read (%s); what they last held counts.", path.name, error)
        self._read[path] = now, found
        return found

    def _profile_of(self, pair: Pair) -> Path:
        name = hashlib.blake2b("\0".join(pair).encode(), digest_size=16).hexdigest()
        return self.folder / f"profile-{name}.json"

    def _replace(self, path: Path, content: bytes) -> None:
        # Whole or not at all, for whoever reads at that moment; nothing of it need survive the machine.
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)


def totals_in(lines: Iterable[Any]) -> Totals:
    """Return the totals of a worker's file. Raises ValueError or TypeError for what is none."""
    found = {}
    for task, version, decisions, counts in lines:
        found[str(task), str(version)] = Total(int(decisions), np.array(counts, np.int64))
    return found

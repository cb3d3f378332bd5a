"""Records counted in constant memory: by version, by bin and block of time, and a sample of them."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from assay.estimators import Reference, bins_of
from assay.telemetry.decisions.record import Record

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
CELLS = 65_536
"""Equal stretches of a span in which decisions are counted, to part it into blocks with equally many."""
SAMPLE = 4_000
"""Decisions of a uniform sample."""
OF_A_BIN = 6
"""Decisions that are kept of each bin, so that rare bins have some to show."""
LONGEST = 4_000
"""Characters of a text that are kept."""
BATCH = 1_024
"""Records that are counted together."""
BLOCKS, OF_A_BLOCK = 96, 50
"""Blocks of a span at most, and decisions of one at least."""


@dataclass(slots=True)
class Traffic:
    """What one version decided in a span."""

    cells: Counts = field(default_factory=lambda: np.zeros(CELLS, np.int64))
    first: float = float("inf")
    last: float = float("-inf")
    model: str = ""
    texts: int = 0
    """How many of the records have a text."""

    @property
    def decisions(self) -> int:
        """How many decisions were logged."""
        return int(self.cells.sum())


def traffic_of(records: Iterable[Record], since: float, until: float) -> dict[str, Traffic]:
    """Return what each version decided between two moments, by version; empty is an artifact folder's."""
    found: dict[str, Traffic] = {}
    width = (until - since) / CELLS
    for each in records:
        traffic = found.setdefault(each.version, Traffic())
        traffic.cells[min(CELLS - 1, max(0, int((each.at - since) / width)))] += 1
        traffic.first, traffic.last = min(traffic.first, each.at), max(traffic.last, each.at)
        traffic.model = each.model
        traffic.texts += each.text is not None
    return found


def block_edges(traffic: Traffic, since: float, until: float) -> Floats:
    """Return the moments that part what a version decided in a span into blocks with about equally many.

    The first edge is its first decision and the last its last one; there is at least one block.
    """
    passed = np.cumsum(traffic.cells)
    blocks = int(min(BLOCKS, max(1, passed[-1] // OF_A_BLOCK)))
    wanted = passed[-1] * np.arange(1, blocks) / blocks
    ends = since + (np.unique(np.searchsorted(passed, wanted)) + 1) * (until - since) / CELLS
    inside = ends[(ends > traffic.first) & (ends < traffic.last)]
    return np.array([traffic.first, *inside, traffic.last])


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of the sample and the bin of each statistic that it fell into."""

    record: Record
    bins: tuple[int, ...]


class Gathered:
    """Counts of one version's records by block and bin, for each statistic of its profile.

    ``counts`` holds an int array of shape (blocks, bins) a statistic, ``weights`` the same with each record
    counted 1 / ``share`` times: what was decided, where a share of it was logged. ``squares`` is the sum of
    the squares of these weights, ``strays`` counts the records whose label is none of the version's.
    """

    def __init__(self, edges: Floats, references: Sequence[Reference]) -> None:
        """Take the moments that part the blocks, and the statistics."""
        self.edges = edges
        self.references = tuple(references)
        shapes = [(len(edges) - 1, len(each.counts)) for each in references]
        self.counts = [np.zeros(shape, np.int64) for shape in shapes]
        self.weights = [np.zeros(shape) for shape in shapes]
        self.squares = self.total = 0.0
        self.records = 0
        self.strays: dict[str, int] = {}
        self._drawn = random.Random(0)  # noqa: S311 - nothing here is a secret
        self._sample: list[Kept] = []
        self._seen: dict[tuple[int, int], int] = {}
        self._of_bin: dict[tuple[int, int], list[Kept]] = {}

    def take(self, records: Iterable[Record]) -> None:
        """Count records."""
        rest = iter(records)
        while batch := list(islice(rest, BATCH)):
            self._take(batch)

    def _take(self, batch: list[Record]) -> None:
        moments, weights = np.array([each.at for each in batch]), 1 / np.array([each.share for each in batch])
        blocks = np.searchsorted(self.edges[1:-1], moments, side="right")
        places = [bins_of(each, batch) for each in self.references]
        for at, bins in enumerate(places):
            known = bins >= 0
            np.add.at(self.counts[at], (blocks[known], bins[known]), 1)
            np.add.at(self.weights[at], (blocks[known], bins[known]), weights[known])
            if self.references[at].name == "label":
                self._note_strays(batch, known)
        self.squares += float((weights * weights).sum())
        self.total += float(weights.sum())
        columns = [bins.tolist() for bins in places]
        rows: Iterable[tuple[int, ...]] = zip(*columns, strict=True) if columns else [()] * len(batch)
        for record, row in zip(batch, rows, strict=True):
            self.records += 1
            self._keep(record, row)

    def sample(self) -> list[Kept]:
        """Return a sample in which every record is as likely as any other, in the order of their times."""
        return sorted(self._sample, key=lambda kept: kept.record.at)

    def kept(self) -> list[Kept]:
        """Return every record that is kept, of the sample and of each bin, each once."""
        of_bins = (each for part in self._of_bin.values() for each in part)
        return list({each.record.id: each for each in (*self._sample, *of_bins)}.values())

    def effective(self) -> float:
        """Return how many decisions of equal weight tell as much as one record does here (Kish 1965)."""
        return self.total * self.total / self.squares / self.records if self.squares else 1.0

    def _note_strays(self, batch: list[Record], known: NDArray[np.bool_]) -> None:
        for at in np.flatnonzero(~known).tolist():
            label = batch[at].label
            self.strays[label] = self.strays.get(label, 0) + 1

    def _keep(self, record: Record, bins: tuple[int, ...]) -> None:
        kept = None
        places = [(self._sample, self.records, SAMPLE)]
        for key in enumerate(bins):
            self._seen[key] = self._seen.get(key, 0) + 1
            places.append((self._of_bin.setdefault(key, []), self._seen[key], OF_A_BIN))
        for part, seen, most in places:
            at = len(part) if len(part) < most else int(self._drawn.random() * seen)
            if at < most:
                kept = kept or Kept(_shortened(record), bins)
                part[at : at + 1] = [kept]


def _shortened(record: Record) -> Record:
    text = record.text
    return replace(record, text=text[:LONGEST]) if text is not None and len(text) > LONGEST else record

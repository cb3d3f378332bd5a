"""Rows that repeat a text: within a side, under two labels, and across a split that the source defines."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from assay.datasets.reading import Example
from assay.datasets.splitting import Side
from assay.datasets.validation import Ledger


def settle_repeats(examples: Sequence[Example], ledger: Ledger, *, drop: bool) -> list[Example]:
    """Return the examples that stay, in their order, with a note of every repeat.

    A text on the test side of a source's own split is taken off the others, always: what is
    measured must not have been learned. Within a side, with ``drop``, the first of equal rows
    stays and none of a text under two labels; a test side that the source defines stays whole, so
    that results compare with published ones.
    """
    taken: set[bytes] = set()
    stays: list[Example] = []
    sides: tuple[Side | None, ...] = (None, "test", "validation", "train")
    for side in sides:
        apart = []
        for example in (one for one in examples if one.side == side):
            if example.digest in taken:
                ledger.note("straddles", example.row, file=example.file)
            else:
                apart.append(example)
        stays += _settle_side(apart, ledger, drop=drop and side != "test")
        taken.update(example.digest for example in apart)
    return stays


def _settle_side(examples: Sequence[Example], ledger: Ledger, *, drop: bool) -> list[Example]:
    labels = _labels_by_digest(examples)
    seen: set[bytes] = set()
    stays = []
    for example in examples:
        kind = None
        if len(labels[example.digest]) > 1:
            kind = "conflict"
        elif example.digest in seen:
            kind = "duplicate"
        seen.add(example.digest)
        if kind:
            ledger.note(kind, example.row, file=example.file, dropped=drop)
        if not (kind and drop):
            stays.append(example)
    return stays


def _labels_by_digest(examples: Iterable[Example]) -> dict[bytes, set[str]]:
    labels: dict[bytes, set[str]] = defaultdict(set)
    for example in examples:
        labels[example.digest].add(example.label)
    return labels

"""Which rows make each batch of an epoch, and the learning rate of each: functions of the seed alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POOL = 64
"""Batches that are cut from one pool of rows, sorted by length: rows of a batch are about equally long then,
and yet each epoch has other batches."""


def batches_of_epoch(lengths: Sequence[int], *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the rows of each batch of an epoch: drawn at random, rows of like length together.

    ``lengths`` are in tokens. Each row is in one batch; a batch has ``batch_size`` rows, or those left over.
    The same seed and epoch give the same batches, which is what a resumed training relies on.

    >>> batches_of_epoch([3, 90, 4, 100], batch_size=2, seed=0, epoch=1)
    [[1, 3], [0, 2]]
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths))
    sizes = np.asarray(lengths)[order]
    batches: list[list[int]] = []
    for begin in range(0, len(order), batch_size * POOL):
        pool = order[begin : begin + batch_size * POOL]
        pool = pool[np.argsort(sizes[begin : begin + batch_size * POOL], kind="stable")]
        batches += [pool[at : at + batch_size].tolist() for at in range(0, len(pool), batch_size)]
    return [batches[at] for at in draw.permutation(len(batches))]


def rate_at(batch: int, batches: int, *, highest: float, warmup: float) -> float:
    """Return the learning rate of a batch, numbered from 0: up to the highest over the warm-up, down to 0.

    >>> [round(rate_at(n, 10, highest=1.0, warmup=0.2), 3) for n in (0, 1, 2, 9)]
    [0.5, 1.0, 1.0, 0.125]
    """
    rising = round(warmup * batches)
    if batch < rising:
        return highest * (batch + 1) / rising
    return highest * (batches - batch) / max(1, batches - rising)


def draw_rows(truth: NDArray[np.int64], most: int | None, *, seed: int) -> NDArray[np.int64]:
    """Return the places of the rows that are used, ascending: so many at most, of each label its share."""
    if most is None or most >= len(truth):
        return np.arange(len(truth))
    draw = np.random.default_rng([seed, 0])
    taken = []
    for label in np.unique(truth):
        rows = np.flatnonzero(truth == label)
        count = max(1, round(most * len(rows) / len(truth)))
        taken.append(draw.permutation(rows)[:count])
    return np.sort(np.concatenate(taken))

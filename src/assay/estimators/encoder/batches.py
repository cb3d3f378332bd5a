"""Which texts run together: neighbours in length, as many as a budget of tokens holds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def batches_of(lengths: Sequence[int], *, budget: int) -> list[list[int]]:
    """Return the rows of each batch, sorted by length, so that rows times the longest fits the budget.

    ``lengths`` and ``budget`` are in tokens. A row that is longer than the budget runs by itself. Every row
    is in one batch; rows of the same length keep their order. Raises ValueError for a budget below 1.

    >>> batches_of([3, 90, 4, 100], budget=200)
    [[0, 2], [1, 3]]
    """
    if budget < 1:
        raise ValueError(f"The budget of a batch must be at least 1 token, not {budget}.")
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[row] <= budget:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows of token ids filled up with ``pad``, and 1 where there is a token; shape (rows, longest).

    >>> ids, mask = padded([[5, 6], [7]], 0)
    >>> ids.tolist(), mask.tolist()
    ([[5, 6], [7, 0]], [[1, 1], [1, 0]])
    """
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), pad, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    return ids, mask

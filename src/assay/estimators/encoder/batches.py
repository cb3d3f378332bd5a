"""Which texts run together: neighbours in length, as many as a budget of tokens holds."""

from collections.abc import Sequence


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

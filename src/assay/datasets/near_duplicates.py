"""Texts that nearly repeat another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.datasets.splitting import normalise


def near_duplicates(texts: Sequence[str], among: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of the texts nearly repeat one of ``among``, shape (texts,)."""
    known = {normalise(text) for text in among}
    return np.array([normalise(text) in known for text in texts], dtype=np.bool_)

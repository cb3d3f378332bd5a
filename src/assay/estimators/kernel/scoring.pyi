"""Texts to logits in one pass."""

from collections.abc import Callable, Iterable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Block:
    """N-grams of one kind, their table and their weights; the arrays are kept and not copied."""

    def __new__(
        cls,
        *,
        analyzer: str,
        low: int,
        high: int,
        lowercase: bool,
        prepare: Callable[[str], str] | None,
        stop_words: tuple[str, ...],
        tf: str,
        norm: str,
        hashes: NDArray[np.uint32],
        offsets: NDArray[np.uint64],
        keys: NDArray[np.uint8],
        buckets: NDArray[np.uint32],
        scale: NDArray[np.float64] | None,
        coef: NDArray[np.float64],
    ) -> Block: ...

@final
class Model:
    """Blocks of weighted n-grams and an intercept a logit."""

    def __new__(cls, blocks: tuple[Block, ...], intercept: NDArray[np.float64]) -> Model: ...
    def logits(self, texts: Iterable[str], out: NDArray[Any]) -> None:
        """Fill in the logits of texts, a row a text."""
    def logits_of(self, text: str) -> tuple[float, ...]:
        """Return the logits of one text."""

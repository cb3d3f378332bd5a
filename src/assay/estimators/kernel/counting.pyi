"""Texts to counts of n-grams, for fitting."""

from collections.abc import Sequence

def count(
    texts: Sequence[str], analyzer: str, low: int, high: int, min_df: int, /
) -> tuple[list[str], bytearray, bytearray, bytearray]:
    """Return the n-grams of ``low`` to ``high`` tokens that at least ``min_df`` texts hold, and their counts.

    The analyzers are those of ``NgramSpec`` but ``char``; texts are lower-cased. The n-grams come in the
    order of their code points. The three arrays are those of a CSR matrix, shape (texts, n-grams): where
    each text's row starts (int64, one more than texts), then each row's columns, rising, and counts (int32).
    Raises TypeError for a text that is no str, ValueError for an analyzer or sizes that it does not know and
    for a text of more than 2 ** 28 characters, MemoryError.
    """

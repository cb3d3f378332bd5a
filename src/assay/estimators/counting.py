"""Texts to counts of n-grams: by the kernel, or by scikit-learn with the same counts."""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from assay.estimators.kernel import compiled
from assay.estimators.ngrams import TOKEN_PATTERNS, NgramSpec
from assay.exceptions import DataError, MissingExtra
from assay.families import TfidfConfig

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Counts(NamedTuple):
    """The n-grams that enough texts hold, in the order of their code points, and how often each text does.

    ``matrix`` has shape (texts, n-grams); the columns of each row rise.
    """

    grams: list[str]
    matrix: "csr_matrix"


def specs_of(config: TfidfConfig) -> list[NgramSpec]:
    """Return the n-grams of each block of an estimator: of words, then of characters where it has them."""
    tf: Literal["binary", "log", "count"] = "log" if config.sublinear_tf else "count"
    if config.weighting == "nb":
        tf = "binary"
    specs = [NgramSpec(analyzer=config.tokens, ngrams=config.word_ngrams, tf=tf)]
    if config.char_ngrams is not None:
        specs.append(NgramSpec(analyzer="char_wb", ngrams=config.char_ngrams, tf=tf))
    return specs


def count_ngrams(spec: NgramSpec, texts: Sequence[str], min_df: int) -> Counts:
    """Return the n-grams that are in at least ``min_df`` texts, with their counts; a binary one is 1.

    Raises DataError when there are none or when one has a lone surrogate, MissingExtra without scikit-learn.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtra("Training", package="scikit-learn", extra="train") from error
    try:
        kernel = compiled("counting")
        if kernel is None:
            counts = _by_scikit_learn(spec, texts, min_df)
        else:
            counts = _by_kernel(kernel, spec, texts, min_df)
        "".join(counts.grams).encode()
    except UnicodeEncodeError as error:
        raise DataError("The texts have lone surrogates, which no valid text holds.") from error
    except ValueError as error:
        raise DataError(
            f"No n-gram is left to learn from ({error}). Lower min_df, now {min_df}, or bring more rows.",
            rows=len(texts),
        ) from error
    if spec.tf == "binary":
        counts.matrix.data.fill(1)
    return counts


def _by_kernel(kernel: ModuleType, spec: NgramSpec, texts: Sequence[str], min_df: int) -> Counts:
    from scipy.sparse import csr_matrix

    grams, *arrays = kernel.count(texts, spec.analyzer, *spec.ngrams, min_df)
    if not grams:
        raise ValueError(f"empty vocabulary: no n-gram is in {min_df} of the {len(texts):,} texts")
    starts, columns, counts = map(np.frombuffer, arrays, (np.int64, np.int32, np.int32))
    # As scikit-learn's: liblinear knows no wider ones.
    narrow = np.int32 if len(columns) <= np.iinfo(np.int32).max else np.int64
    parts = (counts, columns.astype(narrow, copy=False), starts.astype(narrow))
    return Counts(grams, csr_matrix(parts, shape=(len(texts), len(grams)), copy=False))


def _by_scikit_learn(spec: NgramSpec, texts: Sequence[str], min_df: int) -> Counts:
    from sklearn.feature_extraction.text import CountVectorizer

    how: dict[str, Any] = {"analyzer": spec.analyzer}
    if spec.analyzer in TOKEN_PATTERNS:
        how = {"token_pattern": TOKEN_PATTERNS[spec.analyzer]}
    vectoriser = CountVectorizer(ngram_range=spec.ngrams, min_df=min_df, **how)
    matrix = vectoriser.fit_transform(texts)
    matrix.sort_indices()
    return Counts(vectoriser.get_feature_names_out().tolist(), matrix)

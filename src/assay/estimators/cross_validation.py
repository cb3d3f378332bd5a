"""Scores of training rows by models that have not seen them."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from assay.estimators.linear import Floats
from assay.estimators.regression import Features, fit_regression
from assay.exceptions import DataError
from assay.families import TfidfConfig
from assay.progress import Progress

FOLDS = 5
MOST_AT_ONCE = 2


def folds_of(texts: Sequence[str], targets: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the fold of each text, 0 to 4: a hash of its normalised form, so texts that count as the same
    share a fold.

    Every label keeps rows outside every fold: where a rare label's texts all fall into one, one of them is
    moved. None when that cannot be, as with a label of fewer than two distinct texts.
    """
    from assay.datasets import digest_of

    digests = [digest_of(text, "folds") for text in texts]
    by_label: dict[str, set[bytes]] = defaultdict(set)
    for digest, target in zip(digests, targets, strict=True):
        by_label[target].add(digest)
    folds = {digest: int.from_bytes(digest, "big") % FOLDS for digest in digests}
    if not _spread(folds, by_label):
        return None
    return np.array([folds[digest] for digest in digests], np.int64)


def _spread(folds: dict[bytes, int], by_label: Mapping[str, Iterable[bytes]]) -> bool:
    """Move texts until no label lies in one fold alone; return whether that came about."""
    # A text with several labels may confine one as it frees another; a few rounds settle what can be settled.
    for _ in range(2 * FOLDS):
        confined = [label for label in sorted(by_label) if len({folds[d] for d in by_label[label]}) < 2]
        if not confined:
            return True
        for label in confined:
            first = min(by_label[label])
            folds[first] = (folds[first] + 1) % FOLDS
    return False


def held_out_logits(
    config: TfidfConfig,
    labels: Sequence[str],
    features: Features,
    targets: NDArray[np.str_],
    folds: NDArray[np.int64],
    *,
    progress: Progress,
) -> Floats | None:
    """Return each text's logits by the model of the other folds' texts, shape (texts, logits).

    Vocabulary, scales and weights are those that ``fit_linear`` learns from the other folds alone; what is
    shared is the counting. None with fewer than two folds, or when the others hold no n-gram often enough.
    Raises ValueError when the others lack a label.
    """
    numbers = np.unique(folds).tolist()
    if len(numbers) < 2:
        return None
    for number in numbers:
        _check_labels(labels, targets[folds != number], number)
    held_out = np.empty((len(targets), 1 if len(labels) == 2 else len(labels)))
    what = f"fit {len(numbers)} folds for held-out scores"
    pool = ThreadPoolExecutor(_at_once(config))
    try:
        with progress.step(what), progress.bar(what, len(numbers)) as bar:
            jobs = [pool.submit(_score, config, labels, features, targets, folds == n) for n in numbers]
            for number, job in zip(numbers, jobs, strict=True):
                held_out[folds == number] = job.result()
                bar.advance(1)
    except DataError as error:
        progress.say(f"  no held-out scores: without fold {number}, {error}")
        return None
    finally:
        pool.shutdown(cancel_futures=True)
    return held_out


def _score(
    config: TfidfConfig,
    labels: Sequence[str],
    features: Features,
    targets: NDArray[np.str_],
    inside: NDArray[np.bool_],
) -> Floats:
    """Return the logits of the texts inside a fold by a model of those outside."""
    regression = fit_regression(config, labels, features.rows(~inside), targets[~inside])
    return regression.logits(features.rows(inside))


def _at_once(config: TfidfConfig) -> int:
    """Return how many folds are fitted at once; each holds a copy of the counts."""
    # liblinear's dual solver draws from one generator for all threads: two at once would not repeat.
    return 1 if config.weighting == "nb" else min(MOST_AT_ONCE, os.cpu_count() or 1)


def _check_labels(labels: Sequence[str], targets: NDArray[np.str_], number: int) -> None:
    absent = sorted(set(labels) - set(targets.tolist()))
    if absent:
        raise ValueError(f"Without fold {number} no row has the label {absent[0]!r}; take folds_of's folds.")

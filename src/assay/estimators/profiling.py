"""A cascade and rows that it was not trained on -> its profile."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.estimators.binning import ABOVE, MODEL, NEAR, counts_of, numbers_of
from assay.estimators.cascade import Cascade
from assay.estimators.linear import Block, LinearModel
from assay.estimators.model import Model
from assay.estimators.profile import Observation, Profile, Reference, Statistic
from assay.exceptions import DataError

MOST_ROWS = 50_000
"""Rows that a profile is made of, at most: more would not make it tell a window of 1,000 decisions better."""
MOST_COSTLY_ROWS = 5_000
"""The same where a text takes milliseconds: still five times as many as a window has decisions."""
AT_ONCE = 1_000
NEAR_REACH = 0.1
"""Scores that lie no farther from the operating point are near it, where there is no review band."""
TAILS = (0.001, 0.01, 0.05)
QUANTILES = (*TAILS, *(tenth / 10 for tenth in range(1, 10)), *(1 - tail for tail in reversed(TAILS)))
"""Where the bins of numbers part: tenths, since drift may be anywhere, and thin tails, since texts of another
kind are often shorter or longer than nearly all that there were."""
ROWS_OF_A_TAIL = 5
"""Reference rows that a tail must hold for its quantile to part bins."""
ROUNDING = 1e-9
"""How far a tail's size may be off: 0.05 x 100 is not quite 5."""
FIRST_CHARACTERS = 512
"""How much of a text is looked at for unknown words: enough for a share, and its price has a bound."""


def profile_of(cascade: Cascade, texts: Sequence[str]) -> Profile:
    """Return the profile of a cascade from texts that it was not trained on.

    Of more than ``MOST_ROWS`` texts, or ``MOST_COSTLY_ROWS``, every second, third ... is taken. Raises
    DataError without texts.
    """
    if not texts:
        raise DataError("A profile needs at least one text that the model was not trained on.")
    most = MOST_COSTLY_ROWS if cascade.model.costly else MOST_ROWS
    taken = texts[:: -(-len(texts) // most)]
    seen = [
        each for at in range(0, len(taken), AT_ONCE) for each in observe(cascade, taken[at : at + AT_ONCE])
    ]
    return profile_from(cascade, seen)


def profile_from(cascade: Cascade, seen: Sequence[Observation]) -> Profile:
    """Return the profile of a cascade from what it decided, at least one decision."""
    statistics = tuple(
        each.model_copy(update={"counts": tuple(counts_of(each, seen).tolist())})
        for each in _empty(cascade, seen)
    )
    return Profile(task=cascade.task.name, rows=len(seen), statistics=statistics)


def observe(cascade: Cascade, texts: Sequence[str]) -> list[Observation]:
    """Return what drift looks at of the decision of each text."""
    rows = zip(texts, cascade.decide(texts), unknown_shares(cascade.model, texts), strict=True)
    return [
        Observation(
            label=decision.label,
            score=decision.score,
            confidence=decision.confidence,
            threshold=decision.threshold,
            rule=decision.rule,
            characters=len(text),
            unknown=unknown,
        )
        for text, decision, unknown in rows
    ]


def unknown_share(model: Model, text: str) -> float | None:
    """Return which share of a text's distinct words the model's vocabulary lacks; see ``unknown_shares``.

    >>> from pathlib import Path
    >>> from assay.estimators import load_artifact
    >>> cascade = load_artifact(Path("tests/artifacts/v1/words-and-characters"))
    >>> unknown_share(cascade.model, "free quark")
    0.5
    """
    return unknown_shares(model, [text])[0]


def unknown_shares(model: Model, texts: Sequence[str]) -> list[float | None]:
    """Return for each text which share of its distinct words the model's vocabulary lacks.

    Looked at are the first ``FIRST_CHARACTERS`` characters, without the word that they cut. 1 for a text
    without a word: the model knows nothing of it. None for a model that counts no single words.
    """
    block = _word_block(model)
    if block is None:
        return [None] * len(texts)
    counted = map(block.count_unknown, map(_first, texts))
    return [lacking / distinct if distinct else 1.0 for distinct, lacking in counted]


def _first(text: str) -> str:
    if len(text) <= FIRST_CHARACTERS:
        return text
    return text[:FIRST_CHARACTERS].rsplit(None, 1)[0]


def _word_block(model: Model) -> Block | None:
    if not isinstance(model, LinearModel):
        return None
    words = (block for block in model.blocks if not block.spec.analyzer.startswith("char"))
    return next((block for block in words if block.spec.ngrams[0] == 1), None)


def _empty(cascade: Cascade, seen: Sequence[Observation]) -> Iterator[Reference]:
    """Yield each statistic of a cascade, its bins not counted yet."""
    rules = [rule.id for rule in cascade.rules.deciding]
    yield _categories("label", cascade.labels)
    if rules:
        yield _categories("decided_by", (MODEL, *rules))
    point = cascade.operating_point
    if point.threshold is not None:
        yield _categories("above", ABOVE)
        band = point.review or (point.threshold - NEAR_REACH, point.threshold + NEAR_REACH)
        yield _categories("near", NEAR, band=band)
        yield _numbers("score", seen)
    else:
        yield _numbers("confidence", seen)
    yield _numbers("characters", seen)
    if seen[0].unknown is not None:
        yield _numbers("unknown", seen)


def _categories(
    name: Statistic, labels: tuple[str, ...], *, band: tuple[float, float] | None = None
) -> Reference:
    return Reference(name=name, kind="categories", labels=labels, counts=(0,) * len(labels), band=band)


def _numbers(name: Statistic, seen: Sequence[Observation]) -> Reference:
    values = numbers_of(name, seen)
    edges = edges_of(values[~np.isnan(values)])
    return Reference(name=name, kind="numbers", edges=edges, counts=(0,) * (len(edges) + 1))


def edges_of(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the ascending edges between bins for values, shape (rows,): their quantiles, equal ones once.

    A quantile is left out where its tail would hold fewer than ``ROWS_OF_A_TAIL`` of the values. No bin is
    empty, but where all are equal: then there is one bin for what is less and one for what is more.
    """
    if not len(values):
        return ()
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low, float(np.nextafter(high, np.inf))
    parting = [q for q in QUANTILES if min(q, 1 - q) * len(values) >= ROWS_OF_A_TAIL - ROUNDING]
    found = np.unique(np.quantile(values, parting, method="higher")) if parting else np.array([])
    edges = tuple(found[found > low].tolist())
    return edges or (float(np.nextafter(low, np.inf)),)

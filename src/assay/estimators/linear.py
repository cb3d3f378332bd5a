"""A linear model over n-grams, scored without scikit-learn."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from assay.config import Frozen
from assay.estimators.ngrams import NgramSpec, analyzer_of
from assay.estimators.vocabulary import Vocabulary
from assay.exceptions import ArtifactError

Floats = NDArray[np.float64]
Link = Literal["sigmoid", "softmax", "ovr"]

GRAMS_AT_ONCE = 8192
"""From how many n-grams on a batch is looked up: enough to spread numpy's costs, few enough for the cache."""


class LinearSpec(Frozen):
    """What a linear model is made of, beside its arrays.

    ``link`` turns the logits into probabilities: ``sigmoid`` (two labels, one logit: that of the second
    label), ``softmax``, or ``ovr`` (a sigmoid a label, scaled to sum 1).
    """

    link: Link
    labels: tuple[str, ...]
    blocks: tuple[NgramSpec, ...]


class Block:
    """The n-grams of one kind with their weights.

    ``coef`` has a row a feature and a column a logit. ``scale`` has an entry a feature, which its count is
    multiplied by before the norm (an inverse document frequency, a log-count ratio), or is None.
    """

    def __init__(self, spec: NgramSpec, vocabulary: Vocabulary, scale: Floats | None, coef: Floats) -> None:
        self.spec, self.vocabulary, self.scale, self.coef = spec, vocabulary, scale, coef
        self._analyze = analyzer_of(spec)

    def vectors(self, texts: Iterable[str]) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        """Yield each text's features and their values, each feature once.

        Several texts are looked up at once, which costs less; a text's values are its own alone.
        """
        counted: list[Counter[str]] = []
        size = 0
        for text in texts:
            counted.append(Counter(self._analyze(text)))
            size += len(counted[-1])
            if size >= GRAMS_AT_ONCE:
                yield from self._look_up(counted)
                counted, size = [], 0
        yield from self._look_up(counted)

    def _look_up(self, counted: Sequence[Counter[str]]) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        features = self.vocabulary.find(list(chain.from_iterable(counted)))
        counts = np.fromiter(chain.from_iterable(map(Counter.values, counted)), np.float64, len(features))
        end = 0
        for each in counted:
            begin, end = end, end + len(each)
            known = features[begin:end] >= 0
            yield self._weigh(features[begin:end][known], counts[begin:end][known])

    def _weigh(self, features: NDArray[np.intp], values: Floats) -> tuple[NDArray[np.intp], Floats]:
        if self.spec.tf == "binary":
            values = np.ones_like(values)
        elif self.spec.tf == "log":
            values = 1.0 + np.log(values)
        if self.scale is not None:
            values *= self.scale[features]
        if self.spec.norm == "none" or not len(values):
            return features, values
        length = np.sqrt(values @ values) if self.spec.norm == "l2" else np.abs(values).sum()
        # A text whose every n-gram has the scale 0 has no direction: it stays 0, as in scikit-learn.
        return features, values / length if length > 0 else values

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return what each text's n-grams add to each logit, shape (texts, logits)."""
        weighed = np.empty((len(texts), self.coef.shape[1]))
        for row, (features, values) in enumerate(self.vectors(texts)):
            weighed[row] = values @ self.coef[features]
        return weighed


class LinearModel:
    """Blocks of weighted n-grams, an intercept a logit, and the link to probabilities."""

    def __init__(self, labels: Sequence[str], link: Link, blocks: Sequence[Block], intercept: Floats) -> None:
        self.labels, self.link = tuple(labels), link
        self.blocks, self.intercept = tuple(blocks), intercept

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return the logits of each text, shape (texts, logits)."""
        total = np.tile(self.intercept, (len(texts), 1))
        for block in self.blocks:
            total += block.logits(texts)
        return total

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return each text's probability of each label, shape (texts, labels).

        A text's row does not depend on the other texts.
        """
        return probabilities(self.logits(texts), self.link)

    @property
    def spec(self) -> LinearSpec:
        """What the model is made of, beside its arrays."""
        return LinearSpec(link=self.link, labels=self.labels, blocks=tuple(b.spec for b in self.blocks))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to store; those of block i are named ``i.name``."""
        arrays: dict[str, NDArray[Any]] = {"intercept": self.intercept}
        for number, block in enumerate(self.blocks):
            parts = block.vocabulary.to_arrays() | {"coef": block.coef}
            if block.scale is not None:
                parts["scale"] = block.scale
            arrays |= {f"{number}.{name}": array for name, array in parts.items()}
        return arrays

    @classmethod
    def from_arrays(cls, spec: LinearSpec, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the model of stored arrays, after checking shapes and that every weight is finite.

        Raises ArtifactError.
        """
        logits = 1 if spec.link == "sigmoid" else len(spec.labels)
        if spec.link == "sigmoid" and len(spec.labels) != 2:
            raise ArtifactError(f"The link 'sigmoid' wants two labels, not {list(spec.labels)}.")
        blocks = []
        for number, ngrams in enumerate(spec.blocks):
            vocabulary = Vocabulary.from_arrays(_part(arrays, number))
            coef = _weights(arrays, f"{number}.coef", (len(vocabulary), logits))
            name = f"{number}.scale"
            scale = _weights(arrays, name, (len(vocabulary),)) if name in arrays else None
            blocks.append(Block(ngrams, vocabulary, scale, coef))
        return cls(spec.labels, spec.link, blocks, _weights(arrays, "intercept", (logits,)))


def _part(arrays: Mapping[str, NDArray[Any]], number: int) -> dict[str, NDArray[Any]]:
    prefix = f"{number}."
    return {k.removeprefix(prefix): array for k, array in arrays.items() if k.startswith(prefix)}


def _weights(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> Floats:
    array = arrays.get(name)
    if array is None or array.dtype != np.float64 or array.shape != shape:
        what = "is missing" if array is None else f"is {array.dtype} of shape {array.shape}"
        raise ArtifactError(f"The weights {name!r} must be float64 of shape {shape}; it {what}.")
    if not np.isfinite(array).all():
        raise ArtifactError(f"The weights {name!r} hold a value that is not finite.")
    return array


def probabilities(logits: Floats, link: Link) -> Floats:
    """Return label probabilities, shape (texts, labels), from logits of shape (texts, logits)."""
    if link == "softmax":
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        scaled: Floats = exponents / exponents.sum(axis=1, keepdims=True)
        return scaled
    positive = sigmoid(logits)
    if link == "sigmoid":
        return np.hstack([1.0 - positive, positive])
    total = positive.sum(axis=1, keepdims=True)
    # Every sigmoid underflows to 0 only when every label is hopeless: then none is likelier than another.
    shares = np.full_like(positive, 1.0 / positive.shape[1])
    np.divide(positive, total, out=shares, where=total > 0)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(logits))
    squashed: Floats = np.where(logits >= 0, 1.0, small) / (1.0 + small)
    return squashed

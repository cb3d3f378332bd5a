"""A linear model over n-grams, scored without scikit-learn."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from math import exp
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from assay.estimators import kernel
from assay.estimators.manifest import WEIGHTS
from assay.estimators.ngrams import NgramSpec, analyzer_of, preparation_of
from assay.estimators.tensors import write_tensors
from assay.estimators.vocabulary import Vocabulary
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

if TYPE_CHECKING:
    from assay.estimators.kernel import scoring

Floats = NDArray[np.float64]
Link = Literal["sigmoid", "softmax", "ovr"]

TOLERANCE = 1e-6
"""How far a probability of a linear model may lie from the recorded one."""
GRAMS_AT_ONCE = 8192
"""From how many n-grams on a batch is looked up: enough to spread numpy's costs, few enough for the cache."""


class LinearSpec(Frozen):
    """What a linear model is made of, beside its arrays.

    ``link`` turns the logits into probabilities: ``sigmoid`` (two labels, one logit: that of the second
    label), ``softmax``, or ``ovr`` (a sigmoid a label, scaled to sum 1). ``evidence`` names the rules whose
    hits are features, in the order of their columns.
    """

    kind: Literal["linear"] = "linear"
    link: Link
    labels: tuple[str, ...]
    blocks: tuple[NgramSpec, ...]
    evidence: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The evidence rules, by the name that every kind of model has for them."""
        return self.evidence

    @model_validator(mode="after")
    def _rules_differ(self) -> Self:
        if len(set(self.evidence)) != len(self.evidence):
            raise ValueError(f"evidence must name each rule once; got {list(self.evidence)}")
        return self


class EvidenceWeights(NamedTuple):
    """The rules whose hits move the logits, and by how much: ``coef`` has shape (rules, logits)."""

    rules: tuple[str, ...]
    coef: Floats

    def logits(self, hits: NDArray[np.bool_]) -> Floats:
        """Return what each text's hits add to each logit, shape (texts, logits), from hits (texts, rules)."""
        total = np.zeros((len(hits), self.coef.shape[1]))
        # Rule by rule, since a matrix product rounds a text's sum differently from batch to batch.
        for column, weights in zip(hits.T, self.coef, strict=True):
            total[column] += weights
        return total

    def logits_of(self, hits: Sequence[int]) -> list[float]:
        """Return the same for one text from the numbers of the rules that hit it, without numpy."""
        total = [0.0] * self.coef.shape[1]
        for rule in sorted(hits):
            if not 0 <= rule < len(self.rules):
                raise ValueError(f"There is no evidence rule {rule}; there are {len(self.rules)}.")
            total = [before + weight for before, weight in zip(total, self.coef[rule].tolist(), strict=True)]
        return total


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

    def count_unknown(self, text: str) -> tuple[int, int]:
        """Return how many distinct words a text has, and how many of them the vocabulary lacks."""
        if self.compiled is not None:
            return self.compiled.count_unknown(text)
        words = list(set(self._words(text)))
        return len(words), int(np.count_nonzero(self.vocabulary.find(words) < 0))

    @cached_property
    def _words(self) -> Callable[[str], list[str]]:
        """What cuts a text into single words."""
        return analyzer_of(self.spec.model_copy(update={"ngrams": (1, 1)}))

    @cached_property
    def compiled(self) -> "scoring.Block | None":
        """The block in the kernel's hands, or None where Python does the work; made on first use."""
        part = kernel.compiled("scoring")
        return None if part is None else self._compile(part)

    def _compile(self, part: ModuleType) -> "scoring.Block":
        arrays: dict[str, NDArray[Any] | None] = {"scale": self.scale, "coef": self.coef}
        arrays |= self.vocabulary.to_arrays()
        # A file may place numbers where a processor cannot read them; those are copied.
        ready = {k: None if a is None else np.require(a, requirements=["C", "A"]) for k, a in arrays.items()}
        low, high = self.spec.ngrams
        block: scoring.Block = part.Block(
            analyzer=self.spec.analyzer,
            low=low,
            high=high,
            lowercase=self.spec.lowercase,
            prepare=None if self.spec.strip_accents == "none" else preparation_of(self.spec),
            stop_words=() if self.spec.analyzer.startswith("char") else self.spec.stop_words,
            tf=self.spec.tf,
            norm=self.spec.norm,
            **ready,
        )
        return block


class LinearModel:
    """Blocks of weighted n-grams, weighted evidence, an intercept a logit, and the link to probabilities."""

    def __init__(
        self,
        labels: Sequence[str],
        link: Link,
        blocks: Sequence[Block],
        intercept: Floats,
        evidence: EvidenceWeights | None = None,
    ) -> None:
        self.labels, self.link = tuple(labels), link
        self.blocks, self.intercept = tuple(blocks), intercept
        self.evidence = evidence

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> Floats:
        """Return the logits of each text, shape (texts, logits).

        ``evidence`` says which of ``rules`` hit which text, shape (texts, rules); it may be left out where
        the model has no such rules. Raises ValueError for another shape.
        """
        hits = self._hits(len(texts), evidence)
        total = self._in_python(texts) if self._compiled is None else self._in_c(self._compiled, texts)
        if self.evidence is not None:
            total += self.evidence.logits(hits)
        return total

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> tuple[float, ...]:
        """Return one text's logits, equal to the bit to its row of ``logits``, at a fraction of the price.

        ``evidence`` holds the numbers of ``rules`` that hit the text. Raises ValueError for any other number.
        """
        if self._compiled is not None:
            logits = self._compiled.logits_of(text)
        else:
            logits = tuple(self._in_python([text])[0].tolist())
        if self.evidence is None:
            return logits
        added = self.evidence.logits_of(evidence)
        return tuple(logit + more for logit, more in zip(logits, added, strict=True))

    def _in_c(self, compiled: "scoring.Model", texts: Sequence[str]) -> Floats:
        total = np.empty((len(texts), len(self.intercept)))
        compiled.logits(texts, total)
        return total

    def _in_python(self, texts: Sequence[str]) -> Floats:
        total = np.tile(self.intercept, (len(texts), 1))
        for block in self.blocks:
            total += block.logits(texts)
        return total

    @cached_property
    def _compiled(self) -> "scoring.Model | None":
        """The model in the kernel's hands, or None where Python does the work; made on first use."""
        part = kernel.compiled("scoring")
        if part is None:
            return None
        intercept = np.require(self.intercept, requirements=["C", "A"])
        model: scoring.Model = part.Model(tuple(block.compiled for block in self.blocks), intercept)
        return model

    def _hits(self, texts: int, evidence: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        shape = (texts, len(self.rules))
        if evidence is None and not self.rules:
            return np.zeros(shape, np.bool_)
        if evidence is None or evidence.shape != shape or evidence.dtype != np.bool_:
            given = "None" if evidence is None else f"{evidence.dtype} of shape {evidence.shape}"
            raise ValueError(
                f"The model's evidence rules are {list(self.rules)}: "
                f"evidence must be bool of shape {shape}, not {given}."
            )
        return evidence

    def predict_proba(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> Floats:
        """Return each text's probability of each label, shape (texts, labels); see ``logits``.

        A text's row does not depend on the other texts.
        """
        return probabilities(self.logits(texts, evidence), self.link)

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the evidence rules, in the order of their columns."""
        return self.evidence.rules if self.evidence is not None else ()

    @property
    def spec(self) -> LinearSpec:
        """What the model is made of, beside its arrays."""
        return LinearSpec(
            link=self.link,
            labels=self.labels,
            blocks=tuple(b.spec for b in self.blocks),
            evidence=self.rules,
        )

    @property
    def costly(self) -> bool:
        """False: a text takes microseconds."""
        return False

    @property
    def tolerance(self) -> float:
        """How far a probability may lie from the recorded one."""
        return TOLERANCE

    def write(self, folder: Path) -> None:
        """Write the weights into an artifact folder."""
        write_tensors(folder / WEIGHTS, self.to_arrays())

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to store; those of block i are named ``i.name``."""
        arrays: dict[str, NDArray[Any]] = {"intercept": self.intercept}
        if self.evidence is not None:
            arrays["evidence.coef"] = self.evidence.coef
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
        evidence = None
        if spec.evidence:
            coef = _weights(arrays, "evidence.coef", (len(spec.evidence), logits))
            evidence = EvidenceWeights(spec.evidence, coef)
        return cls(spec.labels, spec.link, blocks, _weights(arrays, "intercept", (logits,)), evidence)


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
    """Return 1 / (1 + exp(-x)) without overflow; shape as given."""
    return np.array([squash(x) for x in logits.ravel().tolist()], np.float64).reshape(logits.shape)


def squash(x: float) -> float:
    """Return 1 / (1 + exp(-x)) of one number: numpy's exponential may differ from it in the last bit."""
    small = exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)

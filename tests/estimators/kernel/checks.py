"""What the fuzzer runs on made-up bytes: the kernel beside the forms in Python, on texts read from them.

A part of the kernel has its function in ``CHECKS``, which raises where the two forms differ. The first byte
chooses the part. Inputs once found are kept in ``seeds`` and tried again by ``test_seeds.py``.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.config import FoldingConfig
from assay.estimators import LinearModel
from assay.estimators.folding.compiled import compiled_fold
from assay.estimators.folding.folding import fold_by_steps
from assay.estimators.kernel import compiled
from assay.estimators.linear import Block
from assay.estimators.ngrams import NgramSpec, analyzer_of
from assay.estimators.vocabulary import Vocabulary

ANALYZERS: Any = ("words", "all-words", "words-and-punctuation", "char", "char_wb")
ACCENTS: Any = ("none", "none", "ascii", "unicode")
TFS: Any = ("count", "log", "binary")
NORMS: Any = ("l2", "l1", "none")
ENCODINGS = (
    *(("utf-8", "replace"), ("latin-1", "strict")),
    *(("utf-16-le", "surrogatepass"), ("utf-8", "surrogateescape")),
)
END = b"\xff"
"""Parts the texts of an input."""


def texts_of(data: bytes, encoding: int) -> list[str]:
    """Return the texts of an input, lone surrogates among them."""
    name, errors = ENCODINGS[encoding % len(ENCODINGS)]
    parts = data.split(END)
    if name == "utf-16-le":
        parts = [part[: len(part) // 2 * 2] for part in parts]
    return [part.decode(name, errors) for part in parts]


def valid(text: str) -> str:
    """Return a text without its lone surrogates."""
    return text.encode("utf-8", "ignore").decode()


def check_scoring(data: bytes) -> None:
    """Score texts with a model of the first text's n-grams."""
    bits = Bits(data)
    low = 1 + bits.take(5)
    spec = NgramSpec(
        analyzer=ANALYZERS[bits.take(5)],
        ngrams=(low, min(10, low + bits.take(4))),
        lowercase=bool(bits.take(2)),
        strip_accents=ACCENTS[bits.take(4)],
        tf=TFS[bits.take(3)],
        norm=NORMS[bits.take(3)],
        stop_words=tuple(bits.texts[-1].split()[:2]) if bits.take(4) == 0 else (),
    )
    scaled, broken = bits.take(2), bits.take(8) == 0
    first, *others = bits.texts
    grams = sorted({valid(gram) for gram in analyzer_of(spec)(valid(first))})
    numbers = np.random.default_rng(len(grams))
    scale = numbers.uniform(0.5, 2.0, len(grams)) if scaled else None
    vocabulary, _ = Vocabulary.build(grams)
    block = Block(spec, vocabulary, scale, numbers.normal(size=(len(grams), 2)))
    if broken:
        block.vocabulary = scrambled(vocabulary, data)
    _compare(block, [first, *others], broken=broken)


def _compare(block: Block, texts: list[str], *, broken: bool) -> None:
    model = LinearModel(["a", "b"], "softmax", [block], np.array([0.5, 0.0]))
    found = model.logits(texts)
    assert [model.logits_of(text) for text in texts] == [tuple(row) for row in found.tolist()]
    counted = [block.count_unknown(text) for text in texts]
    if broken:
        return
    np.testing.assert_allclose(found, block.logits(texts) + model.intercept, rtol=1e-10, atol=1e-10)
    block.__dict__["compiled"] = None
    assert counted == [block.count_unknown(text) for text in texts]


def scrambled(vocabulary: Vocabulary, data: bytes) -> Vocabulary:
    """Return a table that was written over after it was checked."""
    arrays = {name: array.copy() for name, array in vocabulary.to_arrays().items()}
    for place, byte in enumerate(data):
        whole: NDArray[Any] = list(arrays.values())[place % 4].view(np.uint8)
        if len(whole):
            whole[byte * (place + 1) % len(whole)] ^= np.uint8(byte)
    return Vocabulary(**arrays)


class Bits:
    """The numbers and texts of an input: eight bytes of numbers, then the texts."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data[:8], "little")
        self.texts = texts_of(data[8:], self.take(len(ENCODINGS)))

    def take(self, below: int) -> int:
        """Return the next number, less than ``below``."""
        self._left, number = divmod(self._left, below)
        return number


def check_folding(data: bytes) -> None:
    """Fold texts with the steps that the input switches on."""
    bits = Bits(data)
    switches = {name: bits.take(4) > 0 for name in FoldingConfig.model_fields}
    config = FoldingConfig.model_validate(switches)
    fold = folding_of(config)
    for text in bits.texts:
        assert fold(text) == fold_by_steps(text, config)


@cache
def folding_of(config: FoldingConfig) -> Callable[[str], str]:
    """Return the compiled function that folds a text."""
    fold = compiled_fold(config)
    assert fold is not None
    return fold


def check_counting(data: bytes) -> None:
    """Count the n-grams of texts."""
    bits = Bits(data)
    low, kind, least = 1 + bits.take(4), bits.take(5), 1 + bits.take(3)
    sizes = (low, min(10, low + bits.take(4)))
    spec = NgramSpec(analyzer=ANALYZERS[kind], ngrams=sizes)
    if spec.analyzer == "char":
        return
    counted = [Counter(analyzer_of(spec)(text)) for text in bits.texts]
    held = Counter(chain.from_iterable(counted))
    counting: Any = compiled("counting")
    grams, *arrays = counting.count(bits.texts, spec.analyzer, *sizes, least)
    begins, columns, counts = map(np.frombuffer, arrays, (np.int64, np.int32, np.int32))
    expected = sorted(gram for gram, times in held.items() if times >= least)
    assert grams == expected
    numbers = list(zip(columns.tolist(), counts.tolist(), strict=True))
    for each, begin, end in zip(counted, begins.tolist(), begins.tolist()[1:], strict=False):
        row = [(number, each[gram]) for number, gram in enumerate(expected) if gram in each]
        assert numbers[begin:end] == row


CHECKS: dict[str, Callable[[bytes], None]] = {
    "scoring": check_scoring,
    "folding": check_folding,
    "counting": check_counting,
}


def check(data: bytes) -> None:
    """Run the check that an input's first byte chooses. Raises AssertionError where two forms differ."""
    available = list(built())
    if data and available:
        CHECKS[available[data[0] % len(available)]](data[1:])


def built() -> Iterator[str]:
    """Yield the names of the parts that are compiled and have a check, in an order that stays."""
    return (part for part in CHECKS if compiled(part) is not None)

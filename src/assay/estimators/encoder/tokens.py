"""A text to the numbers that a network reads, cut the same way for training and for serving."""

import json
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from assay.exceptions import ArtifactError, MissingExtra
from assay.families import Truncation

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING = ("[PAD]", "<pad>", "<|padding|>")
"""What tokenizers call the token that fills a row up."""
UNKNOWN = ("[UNK]", "<unk>")
HEAD = 4
"""The head is one part in so many of what fits, the tail the rest (Sun et al. 2019: 128 of 510)."""
REACH = 8
"""Characters read for a token that fits; English has four or five."""
STRANGE = "a \N{CJK UNIFIED IDEOGRAPH-4E00}\N{NAZAR AMULET}\N{TAG SPACE}"


class SeenToken(NamedTuple):
    """A token that the network sees of a text.

    ``at`` is its place among all tokens of the text, ``word`` the number of its word, ``run`` 1 behind what
    was cut out, else 0; ``begin`` and ``end`` are in characters.
    """

    id: int
    at: int
    word: int
    run: int
    begin: int
    end: int


class Tokens:
    """What cuts texts into token ids, special tokens included, never more than ``max_tokens``.

    ``tokenizer`` holds the bytes of a ``tokenizer.json``; its own settings of truncation and padding do not
    act. What a person types is text, also where it reads like a special token. ``truncation`` says what is
    kept of a longer text: ``head``, or ``head+tail``, the first quarter of what fits and then the last
    tokens (Sun et al., How to Fine-Tune BERT for Text Classification?, 2019, section 5.3.1).

    Raises ArtifactError for a tokenizer that cannot be used, MissingExtra without the library.
    """

    def __init__(self, tokenizer: bytes, *, max_tokens: int, truncation: Truncation) -> None:
        with _damage_named():
            self._tokenizer = _opened(tokenizer)
            first, last = _special_tokens(self._tokenizer)
        self._first, self._last = first, last
        self._room = max_tokens - len(first) - len(last)
        if self._room < 1:
            raise ArtifactError(
                f"max_tokens is {max_tokens}, and the tokenizer adds {len(first) + len(last)} special "
                "tokens: there is no room for text."
            )
        self._head = self._room if truncation == "head" else max(1, self._room // HEAD)
        self._tail = self._room - self._head
        self._separable = _splits_at_spaces(tokenizer)
        named = (self._tokenizer.token_to_id(name) for name in PADDING)
        self.pad: int = next((number for number in named if number is not None), 0)
        """The id of the token that fills rows up; the attention mask hides it."""
        self.unknown: int | None = next(
            (number for number in map(self._tokenizer.token_to_id, UNKNOWN) if number is not None), None
        )
        """The id of the token that stands for what the vocabulary lacks; None where it has none."""
        self.size: int = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        """One more than the largest id: how many entries the network's vocabulary must have."""

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, without padding.

        A text of nothing that the tokenizer keeps (only control characters) has its special tokens alone.
        """
        return [self.framed(self._kept(text)) for text in texts]

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Return the ids of a text's own tokens between the special ones."""
        return [*self._first, *ids, *self._last]

    def seen(self, text: str) -> list[SeenToken]:
        """Return the tokens of a text that its row of ``ids`` has between the special ones."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        parts = zip(encoding.ids, encoding.word_ids, encoding.offsets, strict=True)
        found = [
            SeenToken(number, at, -1 if word is None else word, 0, begin, end)
            for at, (number, word, (begin, end)) in enumerate(parts)
        ]
        if len(found) <= self._room:
            return found
        tail = found[len(found) - self._tail :]
        return [*found[: self._head], *(token._replace(run=1) for token in tail)]

    def _kept(self, text: str) -> list[int]:
        """Return what is kept of a text's ids.

        Where a space always ends a token, what stands before one has the same ids without what follows:
        the ends of a very long text are read, and its middle only where they are too few.
        """
        reach = REACH * self._room
        while self._separable and 2 * reach < len(text):
            begin, end = text.find(" ", reach), text.rfind(" ", 0, len(text) - reach)
            if not 0 <= begin <= end:
                break
            head, tail = self._all(text[:begin]), self._all(text[end:]) if self._tail else []
            if len(head) >= self._head and len(tail) >= self._tail:
                return self._ends(head, tail)
            reach *= 2
        ids = self._all(text)
        return ids if len(ids) <= self._room else self._ends(ids, ids)

    def _all(self, text: str) -> list[int]:
        [encoding] = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        found: list[int] = encoding.ids
        return found

    def _ends(self, head: list[int], tail: list[int]) -> list[int]:
        return head[: self._head] + tail[len(tail) - self._tail :]


def _opened(data: bytes) -> "Tokenizer":
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("Answering with an encoder", package="tokenizers", extra="onnx") from error
    tokenizer = Tokenizer.from_buffer(data)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    # Also what it makes of letters that it does not know shows here, and not at the first text that has one.
    tokenizer.encode_batch_fast([STRANGE])
    return tokenizer


@contextmanager
def _damage_named() -> Iterator[None]:
    """Turn what the library raises for a file that it cannot use into an ArtifactError."""
    try:
        yield
    except (ArtifactError, MissingExtra):
        raise
    except BaseException as error:
        # What the library did not foresee is a panic to it, which is no Exception in Python.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ArtifactError(f"tokenizer.json cannot be used: {error}") from error


def _special_tokens(tokenizer: "Tokenizer") -> tuple[list[int], list[int]]:
    """Return what the tokenizer puts before a text and what after it."""
    encoding = tokenizer.encode("a")
    ids, special = encoding.ids, encoding.special_tokens_mask
    if 0 not in special:
        raise ArtifactError("tokenizer.json makes no token of the letter 'a': its vocabulary is too small.")
    first = special.index(0)
    last = len(special) - special[::-1].index(0)
    return ids[:first], ids[last:]


def _splits_at_spaces(data: bytes) -> bool:
    """Return whether a space always ends a token, and nothing looks across it: as in BERT's tokenizer."""
    settings = json.loads(data)
    parts = ("normalizer", "pre_tokenizer", "model")
    kinds = [(settings.get(part) or {}).get("type") for part in parts]
    added = settings.get("added_tokens") or []
    return kinds == ["BertNormalizer", "BertPreTokenizer", "WordPiece"] and not any(
        set(token["content"]) & set(string.whitespace) for token in added
    )

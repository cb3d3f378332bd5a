"""A text to the numbers that a network reads, cut the same way for training and for serving."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.exceptions import ArtifactError, MissingExtra
from assay.families import Truncation

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING = ("[PAD]", "<pad>", "<|padding|>")
"""What tokenizers call the token that fills a row up."""
UNKNOWN = ("[UNK]", "<unk>")
HEAD = 4
"""The head is one part in so many of what fits, the tail the rest (Sun et al. 2019: 128 of 510)."""


class Tokens:
    """What cuts texts into token ids, special tokens included, never more than ``max_tokens``.

    ``tokenizer`` holds the bytes of a ``tokenizer.json``; its own settings of truncation and padding do not
    act. What a person types is text, also where it reads like a special token. ``truncation`` says what is
    kept of a longer text: ``head``, or ``head+tail``, the first quarter of what fits and then the last
    tokens (Sun et al., How to Fine-Tune BERT for Text Classification?, 2019, section 5.3.1).

    Raises ArtifactError for a tokenizer that cannot be used, MissingExtra without the library.
    """

    def __init__(self, tokenizer: bytes, *, max_tokens: int, truncation: Truncation) -> None:
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
        named = (self._tokenizer.token_to_id(name) for name in PADDING)
        self.pad = next((number for number in named if number is not None), 0)
        """The id of the token that fills rows up; the attention mask hides it."""
        self.unknown = next(
            (number for number in map(self._tokenizer.token_to_id, UNKNOWN) if number is not None), None
        )
        """The id of the token that stands for what the vocabulary lacks; None where it has none."""
        self.size = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        """One more than the largest id: how many entries the network's vocabulary must have."""

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, without padding.

        A text of nothing that the tokenizer keeps (only control characters) has its special tokens alone.
        """
        return [self._framed(self._all(text)) for text in texts]

    def _all(self, text: str) -> list[int]:
        [encoding] = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        found: list[int] = encoding.ids
        return found

    def _framed(self, ids: list[int]) -> list[int]:
        if len(ids) > self._room:
            tail = self._room - self._head
            ids = ids[: self._head] + ids[len(ids) - tail :]
        return [*self._first, *ids, *self._last]


def _opened(data: bytes) -> "Tokenizer":
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("Answering with an encoder", package="tokenizers", extra="onnx") from error
    try:
        tokenizer = Tokenizer.from_buffer(data)
    except ValueError as error:
        raise ArtifactError(f"tokenizer.json cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _special_tokens(tokenizer: "Tokenizer") -> tuple[list[int], list[int]]:
    """Return what the tokenizer puts before a text and what after it."""
    encoding = tokenizer.encode("a")
    ids, special = encoding.ids, encoding.special_tokens_mask
    if 0 not in special:
        raise ArtifactError("tokenizer.json makes no token of the letter 'a': its vocabulary is too small.")
    first = special.index(0)
    last = len(special) - special[::-1].index(0)
    return ids[:first], ids[last:]

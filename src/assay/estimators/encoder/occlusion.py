"""What each word does to the logits of an encoder: what they lose when the network does not see it.

Zeiler and Fergus (Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2) cover parts
of pictures; here it is words, or several in a row where there are many.
"""

from collections.abc import Callable, Sequence
from itertools import chain, groupby
from typing import NamedTuple

from assay.estimators.encoder.tokens import SeenToken, Tokens
from assay.estimators.linear import Floats

MOST_PIECES = 32
"""How many pieces a text is cut into at most; the network runs once for each, and twice more."""


class Occlusion(NamedTuple):
    """A piece of a text, and what each logit loses without it."""

    text: str
    weights: tuple[float, ...]


class Occlusions(NamedTuple):
    """The pieces of what a network sees of a text, the logits of nothing, and those of all of it.

    A piece's weights are what it does beside all others, so that they need not add up to the difference of
    the two: of two words that say the same, each may be left out.
    """

    pieces: tuple[Occlusion, ...]
    nothing: tuple[float, ...]
    logits: tuple[float, ...]


def occlusions_of(
    tokens: Tokens, logits_of_ids: Callable[[Sequence[Sequence[int]]], Floats], text: str
) -> Occlusions:
    """Return what each piece of a text does to each logit.

    ``logits_of_ids`` gives the logits of rows of token ids, shape (rows, logits).
    """
    seen = tokens.seen(text)
    pieces = _pieces(seen)
    rows = [tokens.framed([token.id for token in seen]), tokens.framed([])]
    for piece in pieces:
        without = set(piece)
        rows.append(tokens.framed([token.id for token in seen if token not in without]))
    logits = logits_of_ids(rows)
    lost = logits[0] - logits[2:]
    return Occlusions(
        tuple(
            Occlusion(text[piece[0].begin : piece[-1].end], tuple(weights))
            for piece, weights in zip(pieces, lost.tolist(), strict=True)
        ),
        nothing=tuple(logits[1].tolist()),
        logits=tuple(logits[0].tolist()),
    )


def _pieces(seen: Sequence[SeenToken]) -> list[list[SeenToken]]:
    """Return the tokens word by word, or several words at a time; none reaches across what was cut out."""
    words = [list(word) for _, word in groupby(seen, key=lambda token: (token.run, token.word))]
    at_once = -(-len(words) // (MOST_PIECES - 1)) if len(words) > MOST_PIECES else 1
    pieces = []
    for _, run in groupby(words, key=lambda word: word[0].run):
        ours = list(run)
        pieces += [list(chain(*ours[at : at + at_once])) for at in range(0, len(ours), at_once)]
    return pieces

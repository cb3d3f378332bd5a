"""Typos: in some words two letters change places, or one is left out or typed twice."""

from assay.evaluation.behaviour.draws import Draws
from assay.evaluation.behaviour.prose import long_words

WORDS_A_TYPO = 20
"""One in so many words of four letters and more gets a typo, and one word at least."""


def add_typos(text: str) -> str | None:
    """Return a text with typos, the first letter of each word in its place; None without a word long enough.

    >>> add_typos("See you tomorrow")
    'See you tomorroww'
    """
    words, draws = list(long_words(text)), Draws("typos", text)
    # From the last to the first, so that the places of the words before stay what they are.
    for start, end in sorted(draws.some(words, max(1, len(words) // WORDS_A_TYPO)), reverse=True):
        text = text[:start] + draws.among(_typos(text[start:end], draws)) + text[end:]
    return text if words else None


def _typos(word: str, draws: Draws) -> list[str]:
    """Return a word with each typo of one kind, none of them the word itself."""
    inner = range(1, len(word))
    kinds = [
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            for at in inner[:-1]
            if word[at] != word[at + 1]
        ],
        [word[:at] + word[at + 1 :] for at in inner],
        [word[:at] + word[at] + word[at:] for at in inner],
    ]
    return draws.among([kind for kind in kinds if kind])

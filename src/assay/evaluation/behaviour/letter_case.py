"""Letters all in lower case, or all in capitals."""

from functools import lru_cache

from assay.evaluation.behaviour.prose import map_prose


def lower_case(text: str) -> str | None:
    """Return a text without capitals; None where it has none.

    >>> lower_case("See You at www.Example.com")
    'see you at www.Example.com'
    """
    return _other(text, map_prose(_lowered, text))


def capitals(text: str) -> str | None:
    """Return a text in capitals; None where it has nothing else.

    >>> capitals("see you at www.example.com, straße 1")
    'SEE YOU AT www.example.com, STRAßE 1'
    """
    return _other(text, map_prose(_raised, text))


def _other(text: str, changed: str) -> str | None:
    return None if changed == text else changed


def _lowered(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_lowered_letter, text))


def _raised(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_raised_letter, text))


# A letter whose other case is not one letter, or is that of another one too (ß, dotless i, final sigma),
# stays: the text would not be the same but for its case.
@lru_cache(maxsize=4096)
def _lowered_letter(letter: str) -> str:
    lowered = letter.lower()
    return lowered if len(lowered) == 1 and lowered.upper() == letter else letter


@lru_cache(maxsize=4096)
def _raised_letter(letter: str) -> str:
    raised = letter.upper()
    return raised if len(raised) == 1 and raised.lower() == letter else letter

"""Folding by the compiled kernel, which asks the steps in Python what becomes of each character, once."""

import unicodedata
from collections.abc import Callable
from functools import reduce

from assay.config import FoldingConfig
from assay.estimators import kernel
from assay.estimators.folding.disguises import characters_of, entities_of, entity_meaning, invisible_of
from assay.estimators.folding.edits import Step
from assay.estimators.folding.lookalikes import LEET, LOOKALIKES

__all__ = ["compiled_fold"]


def compiled_fold(config: FoldingConfig) -> Callable[[str], str] | None:
    """Return the compiled function that folds a text, or None where Python does the work."""
    folding = kernel.compiled("folding")
    if folding is None:
        return None
    invisible, characters = invisible_of(config), characters_of(config)
    before_words = (*entities_of(config), *invisible, *characters)
    folder = folding.Folder(
        alone=lambda character: _alone(_applied(character, invisible), characters),
        front=lambda text: _applied(text, before_words),
        entity=entity_meaning if config.entities else None,
        leet=LEET,
        spacing=config.spacing,
        leetspeak=config.leetspeak,
        elongation=config.elongation,
    )
    fold: Callable[[str], str] = folder.fold
    return fold


def _applied(text: str, steps: tuple[Step, ...]) -> str:
    return reduce(lambda view, step: step.apply(view), steps, text)


def _alone(character: str, steps: tuple[Step, ...]) -> str | None:
    """Return what the steps make of a character among any others, or None where those have a say."""
    view = character
    for step in steps:
        if any(map(_depends, view)):
            return None
        view = step.apply(view)
    return None if any(map(_depends, view)) else view


def _depends(character: str) -> bool:
    """Return whether a character may act on its neighbours, or they on it, in any step.

    Marks compose with letters, as vowels and final consonants of Hangul and Kirat Rai do; look-alikes are
    judged by their word.
    """
    return (
        unicodedata.category(character)[0] == "M"
        or character in LOOKALIKES
        or "\u1100" <= character <= "\u11ff"
        or "\U00016d40" <= character <= "\U00016d7f"
    )

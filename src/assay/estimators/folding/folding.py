"""A text's folded view: disguises undone, so that rules in plain lower-case letters find them."""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import NamedTuple

from assay.config import FoldingConfig
from assay.estimators.folding.compiled import compiled_fold
from assay.estimators.folding.disguises import shortening, steps_of
from assay.estimators.folding.edits import Edit

__all__ = ["Folded", "fold", "fold_by_steps", "fold_with_spans", "folder"]


class Folded(NamedTuple):
    """A folded text and where it comes from: character i stands for ``original[starts[i]:ends[i]]``.

    Both lists rise, or stay, along each line of the view. What was dropped between two characters lies
    between their places, so a word's range goes from its first start to its last end.
    """

    text: str
    starts: list[int]
    ends: list[int]


def fold(text: str, config: FoldingConfig) -> str:
    """Return the folded view of a text, in time proportional to its length.

    Letters become lower case (Unicode's case folding) at all times; each switch of the configuration
    undoes one kind of disguise. With ``elongation``, a run of three or more of a letter becomes two, and
    a text with such a run is followed by a line feed and once more the whole view with one letter for
    each run. Folding a view again changes nothing, unless it has such a run, an ampersand, or marks of one
    script on letters of another.

    >>> fold("Get V1agra f-r-e-e, \u0441l\u0430im \uff4e\uff4f\uff57", FoldingConfig())
    'get viagra free, claim now'
    >>> fold("It is freeee", FoldingConfig())
    'it is free\\nit is fre'
    """
    return folder(config)(text)


@cache
def folder(config: FoldingConfig) -> Callable[[str], str]:
    """Return the function that folds texts under a configuration: the compiled one where there is one."""
    return compiled_fold(config) or partial(fold_by_steps, config=config)


def fold_by_steps(text: str, config: FoldingConfig) -> str:
    """Return the folded view of a text by the steps in Python, to which the compiled form is held."""
    for step in steps_of(config):
        text = step.apply(text)
    if not config.elongation:
        return text
    two, one = shortening()
    return f"{two.apply(text)}\n{one.apply(text)}" if two.needed(text) else text


def fold_with_spans(text: str, config: FoldingConfig) -> Folded:
    """Return the folded view of a text with the place of each of its characters in the original.

    The slow path, for explanations: its ``text`` equals ``fold(text, config)``. The line feed before
    the second line of an elongated text stands for the empty range at the original's end.

    >>> view = fold_with_spans("win w-i-n", FoldingConfig())
    >>> view.text, view.starts[4], view.ends[6]
    ('win win', 4, 9)
    """
    end = len(text)
    view = Folded(text, list(range(end)), list(range(1, end + 1)))
    for step in steps_of(config):
        view = _edited(view, step.edits(view.text))
    two, one = shortening()
    if not (config.elongation and two.needed(view.text)):
        return view
    first, second = _edited(view, two.edits(view.text)), _edited(view, one.edits(view.text))
    return Folded(
        f"{first.text}\n{second.text}", [*first.starts, end, *second.starts], [*first.ends, end, *second.ends]
    )


def _edited(view: Folded, edits: Iterable[Edit]) -> Folded:
    """Return a view after edits, which come in order and do not overlap."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, new in edits:
        pieces += view.text[done:start], new
        starts += view.starts[done:start]
        ends += view.ends[done:start]
        for first, last in _sources(view.text[start:end], new):
            starts.append(view.starts[start + first])
            ends.append(view.ends[start + last - 1])
        done = end
    if not done:
        return view
    pieces.append(view.text[done:])
    return Folded("".join(pieces), starts + view.starts[done:], ends + view.ends[done:])


def _sources(old: str, new: str) -> list[tuple[int, int]]:
    """Return which part of the old text each new character stands for.

    Character for character where the lengths agree; where characters were only dropped, those that
    stayed, the first and the last reaching to the edges; else the whole of it.
    """
    if len(old) == len(new):
        return [(at, at + 1) for at in range(len(new))]
    kept, at = [], 0
    for character in new:
        at = old.find(character, at) + 1
        if not at:
            return [(0, len(old))] * len(new)
        kept.append((at - 1, at))
    if kept:
        kept[0] = (0, kept[0][1])
        kept[-1] = (kept[-1][0], len(old))
    return kept

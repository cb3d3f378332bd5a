r"""Word edges in any script: a tree with needs becomes trees without them.

RE2 knows no edge of a word beyond ASCII and cannot look around. A need such as "the next character is of a
gap" is therefore handed on to what comes next: a character is narrowed to those that fulfil it, a part that
may be absent passes it on, and what leaves the pattern is returned, to be fulfilled by the character beside
the match.
"""

import functools
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assay.estimators.rules.patterns import compile_pattern
from assay.estimators.rules.syntax import (
    EMPTY,
    Anchor,
    Atom,
    Choice,
    Flagged,
    Kind,
    Need,
    Node,
    PatternFault,
    Repeat,
    Sequence,
    choice,
    flagged,
    read_pattern,
    repeat,
    sequence,
    tokens,
    write_pattern,
)

WORD = r"[\pL\pM\pN_]"
GAP = r"[^\pL\pM\pN_]"

SURROGATES = range(0xD800, 0xE000)

MAX_UNROLLED = 10
"""The most repeats of a group with an edge at its rim that are written out."""

Open = Kind | None
Variants = dict[Open, Node]
"""Trees without needs by what they still ask of the character beside them."""


_BEFORE = {None: "", "gap": rf"(?:\A|{GAP})", "word": WORD}
_AFTER = {None: "", "gap": rf"(?:{GAP}|\z)", "word": WORD}
_EDGES = {r"\<", r"\>"}


class Expansion(NamedTuple):
    r"""What stands for a pattern with ``\<`` and ``\>``.

    ``exact`` matches what the pattern means, by one character more on either side where an edge asks for it;
    what the pattern itself matches is the one group that takes part. ``plain`` matches the same texts among
    those without letters, marks and digits beyond ASCII; ``loose`` matches all of them and perhaps more.
    These two are small, and ``exact`` takes thousands of instructions.
    """

    exact: str
    plain: str
    loose: str


def has_edges(pattern: str) -> bool:
    r"""Return whether a pattern has ``\<`` or ``\>`` outside classes and literal runs."""
    return not _EDGES.isdisjoint(tokens(pattern))


@functools.lru_cache(maxsize=2048)
def expand(pattern: str) -> Expansion:
    """Return the expansion of a pattern that RE2 accepts.

    Raises PatternFault where an edge can never be where the pattern has it, or its place is not supported.
    """
    word_ahead, word_behind = Need("word", ahead=True), Need("word", ahead=False)
    gap_ahead, gap_behind = Need("gap", ahead=True), Need("gap", ahead=False)
    ascii_edge = Anchor(r"\b")
    exact_edges = {r"\<": _row(gap_behind, word_ahead), r"\>": _row(word_behind, gap_ahead)}
    plain_edges = {r"\<": _row(ascii_edge, word_ahead), r"\>": _row(word_behind, ascii_edge)}
    try:
        tree = read_pattern(pattern, exact_edges)
        exact, plain = settle(tree), settle(read_pattern(pattern, plain_edges))
    except RecursionError as error:
        raise PatternFault("nests its groups too deeply") from error
    if tree is None or not exact or not plain:
        raise PatternFault(
            r"can never match: \< stands before a letter, mark, digit or underscore and \> after one, "
            "with none of them on the other side"
        )
    return Expansion(_written(exact), _written(plain), write_pattern(tree))


def _row(*parts: Node) -> Node:
    return Sequence(parts, len(parts))


def _written(settled: list[tuple[Open, Node, Open]]) -> str:
    return "|".join(
        f"{_BEFORE[before]}({write_pattern(node)}){_AFTER[after]}" for before, node, after in settled
    )


def settle(tree: Node | None) -> list[tuple[Open, Node, Open]]:
    """Return trees without needs that match together what a tree matches.

    Each comes with what it asks of the character before and after it. Raises PatternFault.
    """
    settled = []
    for after, node in _settle(tree).items():
        for before, turned in _settle(_turn(node)).items():
            settled.append((before, _turn(turned), after))
    return settled


def _turn(node: Node) -> Node:
    """Return a tree that reads from right to left; turned twice it is the tree."""
    match node:
        case Sequence(parts, size):
            return Sequence(tuple(_turn(part) for part in reversed(parts)), size)
        case Choice(branches, size):
            return Choice(tuple(_turn(branch) for branch in branches), size)
        case Flagged(flags, body, size):
            return Flagged(flags, _turn(body), size)
        case Repeat(body, low, high, lazy, size):
            return Repeat(_turn(body), low, high, lazy, size)
        case Need(kind, ahead):
            return Need(kind, not ahead)
        case _:
            return node


def _merge(found: Iterable[tuple[Open, Node | None]]) -> Variants:
    merged: Variants = {}
    for key, node in found:
        if both := choice(merged.get(key), node):
            merged[key] = both
    return merged


def _settle(node: Node | None) -> Variants:
    match node:
        case None:
            return {}
        case Need(kind, True):
            return {kind: EMPTY}
        case Flagged(flags, body):
            return _merge((key, flagged(flags, tree)) for key, tree in _settle(body).items())
        case Choice(branches):
            return _merge(pair for branch in branches for pair in _settle(branch).items())
        case Repeat():
            return _settle_repeat(node)
        case Sequence(parts):
            settled: Variants = {None: EMPTY}
            for part in reversed(parts):
                settled = _join(_settle(part), settled)
            return settled
        case _:
            return {None: node}


def _join(heads: Variants, tails: Variants) -> Variants:
    def joined() -> Iterator[tuple[Open, Node | None]]:
        for asked, head in heads.items():
            for open_, tail in tails.items():
                if asked is None:
                    yield open_, sequence(head, tail)
                    continue
                some, none = _narrow(tail, asked)
                yield open_, sequence(head, some)
                if open_ in (None, asked):
                    yield asked, sequence(head, none)

    return _merge(joined())


def _settle_repeat(node: Repeat) -> Variants:
    body, low, high = node.body, node.low, node.high
    settled = _settle(body)
    if set(settled) <= {None}:
        whole = repeat(settled.get(None), low, high, node.lazy)
        return {} if whole is None else {None: whole}
    if low > MAX_UNROLLED or (high or 0) > MAX_UNROLLED:
        raise PatternFault(
            rf"repeats a group with \< or \> at its rim more than {MAX_UNROLLED} times; "
            "move the edges out of the group"
        )
    ending: Variants = _settle_star(settled) if high is None else {None: EMPTY}
    for _ in range((high or low) - low):
        ending = _merge([*_join(settled, ending).items(), (None, EMPTY)])
    for _ in range(low):
        ending = _join(settled, ending)
    return ending


def _settle_star(settled: Variants) -> Variants:
    """Return any number of repeats, where each may ask something of the next (Kleene's construction)."""
    asked = [key for key in settled if key is not None]
    if len(asked) > 1:
        raise PatternFault(r"repeats a group at whose rim \< and \> ask for different things; split the rule")
    [kind] = asked
    free, asking = settled.get(None), settled[kind]
    loop = repeat(_narrow(asking, kind)[0], 0, None)
    back = sequence(asking, loop, _narrow(free, kind)[0]) if free else None
    rest = repeat(choice(free, back), 0, None)
    return _merge([(None, rest), (kind, sequence(rest, asking, loop))])


def _narrow(node: Node, kind: Kind) -> tuple[Node | None, Node | None]:
    """Return what a tree matches with a first character of a kind, and what it matches without characters."""
    match node:
        case Atom(text, any_line):
            narrowed = narrow_atom(text, any_line, kind)
            return (Atom(narrowed) if narrowed else None), None
        case Sequence(parts):
            return _narrow_sequence(parts, kind)
        case Choice(branches):
            pairs = [_narrow(branch, kind) for branch in branches]
            return choice(*(some for some, _ in pairs)), choice(*(none for _, none in pairs))
        case Flagged(flags, body):
            some, none = _narrow(body, kind)
            return flagged(flags, some), flagged(flags, none)
        case Repeat(body, low, high, lazy):
            some, none = _narrow(body, kind)
            if low > 1 and none not in (None, EMPTY):
                raise PatternFault(r"repeats an anchor beside \< or \>; write the anchor once")
            more = repeat(body, max(low - 1, 0), None if high is None else high - 1, lazy)
            return sequence(some, more), none if low else EMPTY
        case _:
            return None, node


def _narrow_sequence(parts: tuple[Node, ...], kind: Kind) -> tuple[Node | None, Node | None]:
    before: Node | None = EMPTY
    found = []
    for number, part in enumerate(parts, start=1):
        some, none = _narrow(part, kind)
        found.append(sequence(before, some, *parts[number:]))
        before = sequence(before, none)
        if before is None:
            break
    return choice(*found), before


@functools.lru_cache(maxsize=4096)
def narrow_atom(text: str, any_line: bool, kind: Kind) -> str | None:
    """Return the pattern of the characters of a kind among those that an atom matches, or None for none."""
    if text == ".":
        return WORD if kind == "word" else (GAP if any_line else GAP.replace("]", r"\n]"))
    if text in (r"\w", r"\d", r"\s"):
        return text if (kind == "gap") == (text == r"\s") else None
    if len(text) == 1:
        return text if (compile_pattern(WORD).search(text) is not None) == (kind == "word") else None
    members = _ranges(text)
    narrowed = _meet(members, _ranges(WORD if kind == "word" else GAP))
    if narrowed == members:
        return text
    return (
        "[" + "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in narrowed) + "]" if narrowed else None
    )


def _meet(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what two rising lists of ranges have in common."""
    met, others = [], iter(second)
    low, high = next(others, (1, 0))
    for start, end in first:
        while low <= high and low <= end:
            if high >= start:
                met.append((max(low, start), min(high, end)))
            if high > end:
                break
            low, high = next(others, (1, 0))
    return met


@functools.lru_cache(maxsize=256)
def _ranges(text: str) -> list[tuple[int, int]]:
    """Return the ranges of code points that an atom matches, rising."""
    found = compile_pattern(f"(?:{text})+").finditer(_characters())
    return [(_code_point(match.start()), _code_point(match.end() - 1)) for match in found]


def _code_point(place: int) -> int:
    return place if place < SURROGATES.start else place + len(SURROGATES)


@functools.lru_cache(maxsize=1)
def _characters() -> str:
    """Return every character that a text may have, in order."""
    return "".join(map(chr, [*range(SURROGATES.start), *range(SURROGATES.stop, sys.maxunicode + 1)]))

"""The syntax of RE2's patterns as a tree, as far as word edges need it.

Only patterns that RE2 accepts are read, so nothing here looks for mistakes. ``None`` stands for what can
never match. Groups do not capture in a tree: a part of it may have to stand in a pattern twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_SIZE = 5_000
"""The most parts that a tree may have."""

Kind = Literal["word", "gap"]

_TOKENS = re.compile(
    r"""
    \\Q.*?(?:\\E|\Z)                                              # a literal run
    | \\x\{[0-9A-Fa-f]+\} | \\x[0-9A-Fa-f]{2} | \\[pP](?:\{[^}]*\}|.) | \\[0-7]{1,3} | \\.
    | \[\^?\]? (?: \[:\^?\w+:\] | \\. | [^\]\\] )* \]             # a class
    | \(\?P?<\w+> | \(\?[a-zA-Z-]*[:)] | \(                       # the opening of a group, or flags
    | [*+?]\?? | \{\d+(?:,\d*)?\}\??                              # how often
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_ANCHORS = {"^", "$", r"\A", r"\z", r"\b", r"\B"}


class PatternFault(ValueError):
    """A pattern that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Atom:
    """What matches one character; ``any_line`` where a dot matches line feeds too."""

    text: str
    any_line: bool = False
    size: int = 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """What matches a place between characters."""

    text: str
    size: int = 1


@dataclass(frozen=True, slots=True)
class Need:
    """What the character on one side must be: of a word, or of a gap (no character at all is a gap too)."""

    kind: Kind
    ahead: bool
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Node", ...]
    size: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One branch or another."""

    branches: tuple["Node", ...]
    size: int


@dataclass(frozen=True, slots=True)
class Flagged:
    """A group under flags."""

    flags: str
    body: "Node"
    size: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part ``low`` to ``high`` times; None is no end."""

    body: "Node"
    low: int
    high: int | None
    lazy: str
    size: int


Node = Atom | Anchor | Need | Sequence | Choice | Flagged | Repeat
EMPTY = Sequence((), 0)


def sequence(*parts: Node | None) -> Node | None:
    """Return parts in a row, without nesting; None where one of them can never match.

    Raises PatternFault when the row grows too large.
    """
    flat: list[Node] = []
    for part in parts:
        if part is None:
            return None
        flat += part.parts if isinstance(part, Sequence) else (part,)
    size = sum(part.size for part in flat)
    if size > MAX_SIZE:
        raise PatternFault(
            rf"has so many \< and \> beside parts that may be absent that it grows beyond {MAX_SIZE:,} "
            "parts; split it into several rules"
        )
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat), size)


def choice(*branches: Node | None) -> Node | None:
    """Return a choice among the branches that can match; None where none can."""
    open_ = [branch for branch in branches if branch is not None]
    if len(open_) < 2:
        return open_[0] if open_ else None
    return Choice(tuple(open_), 1 + sum(branch.size for branch in open_))


def flagged(flags: str, body: Node | None) -> Node | None:
    """Return a part under flags."""
    return None if body is None else Flagged(flags, body, body.size + 1)


def repeat(body: Node | None, low: int, high: int | None, lazy: str = "") -> Node | None:
    """Return a part ``low`` to ``high`` times."""
    if high == 0 or (body is None and low == 0):
        return EMPTY
    if body is None or (low == high == 1):
        return body
    return Repeat(body, low, high, lazy, body.size + 1)


def tokens(pattern: str) -> list[str]:
    """Return the smallest parts of a pattern that mean something."""
    return _TOKENS.findall(pattern)


def read_pattern(pattern: str, edges: dict[str, Node]) -> Node | None:
    r"""Return the tree of a pattern that RE2 accepts; ``edges`` are what ``\<`` and ``\>`` stand for.

    Raises PatternFault for flags that are set amid a group.
    """
    found = tokens(pattern)
    flags = ""
    if found and (opening := re.fullmatch(r"\(\?([a-zA-Z-]+)\)", found[0])):
        flags, found = opening[1], found[1:]
    body = _Reader(found, edges).choice(_dot_all(flags, False))
    return flagged(flags, body) if flags else body


class _Reader:
    def __init__(self, found: list[str], edges: dict[str, Node]) -> None:
        self._tokens, self._at, self._edges = found, 0, edges

    def choice(self, any_line: bool) -> Node | None:
        branches = [self._row(any_line)]
        while self._next() == "|":
            self._at += 1
            branches.append(self._row(any_line))
        return choice(*branches)

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _row(self, any_line: bool) -> Node | None:
        parts: list[Node | None] = []
        while (token := self._next()) not in ("", "|", ")"):
            self._at += 1
            if (counts := _counts(token)) and parts:
                parts[-1] = repeat(parts[-1], *counts)
            else:
                parts += self._part(token, any_line)
        return sequence(*parts)

    def _part(self, token: str, any_line: bool) -> Iterator[Node | None]:
        if token.startswith("("):
            yield self._group(token, any_line)
        elif token.startswith(r"\Q"):
            yield from (Atom(re.escape(c)) for c in token[2:].removesuffix(r"\E"))
        elif token in self._edges:
            yield self._edges[token]
        else:
            yield Anchor(token) if token in _ANCHORS else Atom(token, any_line=any_line)

    def _group(self, token: str, any_line: bool) -> Node | None:
        if token.startswith("(?") and token.endswith(")"):
            raise PatternFault(
                f"sets flags amid a group by {token!r}, which does not go together with \\< and \\>; "
                "set them at the start, like (?i), or for a group, like (?i:...)"
            )
        flags = token[2:-1] if token.endswith(":") else ""
        body = self.choice(_dot_all(flags, any_line))
        self._at += 1
        return flagged(flags, body) if flags else body


def _dot_all(flags: str, before: bool) -> bool:
    on, _, off = flags.partition("-")
    return ("s" in on or before) and "s" not in off


def _counts(token: str) -> tuple[int, int | None, str] | None:
    lazy = "?" if len(token) > 1 and token.endswith("?") else ""
    match token.removesuffix("?") if lazy else token:
        case "*":
            return 0, None, lazy
        case "+":
            return 1, None, lazy
        case "?":
            return 0, 1, lazy
        case counted if found := re.fullmatch(r"\{(\d+)(,?)(\d*)\}", counted):
            low = int(found[1])
            return low, (int(found[3]) if found[3] else None) if found[2] else low, lazy
        case _:
            return None


def write_pattern(node: Node) -> str:
    """Return the pattern of a tree, its needs left out."""
    match node:
        case Atom(text) | Anchor(text):
            return text
        case Sequence(parts):
            return "".join(
                _grouped(part) if isinstance(part, Choice) else write_pattern(part) for part in parts
            )
        case Choice(branches):
            return "|".join(write_pattern(branch) for branch in branches)
        case Flagged(flags, body):
            return f"(?{flags}:{write_pattern(body)})"
        case Repeat(body, low, high, lazy):
            return f"{_grouped(body)}{_times(low, high)}{lazy}"
        case Need():
            return ""


def _grouped(node: Node) -> str:
    return write_pattern(node) if isinstance(node, Atom) else f"(?:{write_pattern(node)})"


def _times(low: int, high: int | None) -> str:
    plain = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (low, high) in plain:
        return plain[low, high]
    return f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"

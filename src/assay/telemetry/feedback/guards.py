"""What may become training rows of what people said: counted, capped and cleaned, always in the same way."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assay.datasets import digest_of, near_repeats

FEW = 20
"""So many rows one key, or one subject, may always give: a share of a handful means nothing."""
PLACEHOLDER = re.compile(r"\[(?:email|phone|card|link|number)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One decision with the label that it should have had."""

    text: str
    label: str
    decision: str
    version: str
    at: str
    keys: tuple[str, ...]
    """Who says so."""
    reviewed: bool
    """Whether one of them is a reviewer."""
    subject: str | None = None


@dataclass(frozen=True, kw_only=True)
class Guards:
    """What is asked of rows: shares of all that stay, and how many times the rarest label one may have."""

    key_share: float = 0.2
    subject_share: float = 0.2
    balance: float = 5.0
    near: bool = True
    """Whether texts that nearly repeat another are left out."""


@dataclass
class Sifted:
    """The rows that stay, in the order of their decisions, and what became of the others."""

    rows: list[Labelled]
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the account for people."""
        for why, count in self.dropped.items():
            yield f"  {count:,} left out: {why}"
        yield from (f"  {note}" for note in self.notes)


def sift(rows: Sequence[Labelled], labels: Sequence[str], guards: Guards) -> Sifted:
    """Return the rows that may be trained on; equal rows give equal results, in whatever order they come."""
    sifted = Sifted(sorted(rows, key=lambda row: row.decision))
    _drop(sifted, "the task has no such label", [row.label not in labels for row in sifted.rows])
    _drop(sifted, "their text was also labelled otherwise", _contradicted(sifted.rows))
    _drop(sifted, "the same text with the same label", _repeated(sifted.rows))
    if guards.near:
        _drop(
            sifted,
            "they nearly repeat another text",
            near_repeats([row.text for row in sifted.rows]).tolist(),
        )
    _cap(
        sifted, f"over {guards.key_share:.0%} from one client's key", guards.key_share, _clients(sifted.rows)
    )
    subjects = [row.subject for row in sifted.rows]
    _cap(sifted, f"over {guards.subject_share:.0%} from one subject", guards.subject_share, subjects)
    _balance(sifted, labels, guards.balance)
    redacted = sum(bool(PLACEHOLDER.search(row.text)) for row in sifted.rows)
    if redacted:
        sifted.notes.append(f"{redacted:,} of the texts were redacted and hold placeholders like [link]")
    return sifted


def _drop(sifted: Sifted, why: str, out: Sequence[bool]) -> None:
    count = sum(map(bool, out))
    if count:
        sifted.dropped[why] = count
        sifted.rows = [row for row, gone in zip(sifted.rows, out, strict=True) if not gone]


def _contradicted(rows: Sequence[Labelled]) -> list[bool]:
    labels: dict[bytes, set[str]] = defaultdict(set)
    digests = [digest_of(row.text, "") for row in rows]
    for digest, row in zip(digests, rows, strict=True):
        labels[digest].add(row.label)
    return [len(labels[digest]) > 1 for digest in digests]


def _repeated(rows: Sequence[Labelled]) -> list[bool]:
    seen: set[bytes] = set()
    out = []
    for row in rows:
        digest = digest_of(row.text, "")
        out.append(digest in seen)
        seen.add(digest)
    return out


def _clients(rows: Sequence[Labelled]) -> list[str | None]:
    """Return whose weight each row adds to: of several clients that agree the one with the fewest rows."""
    given = Counter(key for row in rows for key in row.keys)
    return [None if row.reviewed else min(row.keys, key=lambda key: (given[key], key)) for row in rows]


def _cap(sifted: Sifted, why: str, share: float, givers: Sequence[str | None]) -> None:
    """Leave out rows of those who gave more than a share of all that then stay."""
    counts = Counter(giver for giver in givers if giver is not None)
    others = len(givers) - counts.total()
    cap = max(FEW, _largest(list(counts.values()), others, share))
    _drop(sifted, why, _over(sifted.rows, givers, lambda _: cap))


def _largest(counts: Sequence[int], others: int, share: float) -> int:
    """Return the most rows of one giver that are no more than a share of all, given this cap for each."""
    low, high = 0, max(counts, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if middle <= share * (others + sum(min(count, middle) for count in counts)):
            low = middle
        else:
            high = middle - 1
    return low


def _balance(sifted: Sifted, labels: Sequence[str], times: float) -> None:
    counts = Counter(row.label for row in sifted.rows)
    if len(counts) == 1:
        sifted.notes.append(f"all of them are {next(iter(counts))!r}: other labels were given to none")
        return
    if absent := [label for label in labels if counts and label not in counts]:
        sifted.notes.append(f"there are none with {', '.join(map(repr, absent))}")
    cap = int(times * min(counts.values(), default=0))
    given = [row.label for row in sifted.rows]
    _drop(sifted, f"over {times:g} times the rarest label", _over(sifted.rows, given, lambda _: cap))


def _over(rows: Sequence[Labelled], givers: Sequence[str | None], cap: Callable[[str], int]) -> list[bool]:
    """Return which rows are over the cap of their giver, taken by lot: the lot is the hash of the id."""
    places = sorted(range(len(rows)), key=lambda at: _lot(rows[at].decision))
    taken: Counter[str] = Counter()
    out = [False] * len(rows)
    for at in places:
        giver = givers[at]
        if giver is not None:
            taken[giver] += 1
            out[at] = taken[giver] > cap(giver)
    return out


def _lot(decision: str) -> bytes:
    return hashlib.blake2b(decision.encode(), digest_size=8).digest()

"""What the keys together say of each decision that the log knows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from assay.database import Database
from assay.telemetry.feedback.store import stamp

PAGE = 20_000
"""Rows read in one transaction: a reader that stays keeps those who write waiting."""

# A cross join is read from left to right by SQLite: rows come in the order of the primary key, none sorted.
SELECT = (
    'SELECT f.decision, f."key", f.label, f.at, f.reviewer, f.task, j.version, j.decided, j.confidence, '
    'j.decided_by, j.review, j."key", j.at, j.task FROM feedback f CROSS JOIN judged j '
    "WHERE j.decision = f.decision AND j.task = %s AND j.at >= %s AND j.at < %s "
    'AND (f.decision, f."key", f.label) > (%s, %s, %s) ORDER BY f.decision, f."key", f.label LIMIT %s'
)
UNMATCHED = (
    "SELECT count(*), count(DISTINCT f.decision) FROM feedback f WHERE f.at >= %s AND f.at < %s "
    "AND f.task IN ('', %s) AND NOT EXISTS (SELECT 1 FROM judged j WHERE j.decision = f.decision)"
)
LEADING = (
    'SELECT f."key", count(*) FROM judged j JOIN feedback f ON f.decision = j.decision '
    'WHERE j.task = %s AND j.at >= %s AND j.at < %s GROUP BY f."key" ORDER BY 2 DESC, 1 LIMIT 1'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What is said of one decision.

    ``said`` has the newest label of each key that may speak for the decision. ``label`` is what most of
    these keys say, None where two labels have as many. ``foreign`` counts keys that may not speak for it,
    because another key asked for the decision, and ``astray`` keys that took it for one of another task.
    """

    decision: str
    version: str
    decided: str
    confidence: float
    decided_by: str
    review: bool
    at: str
    said: Mapping[str, str]
    reviewers: frozenset[str]
    label: str | None
    foreign: int = 0
    astray: int = 0

    @property
    def contradicted(self) -> bool:
        """Whether keys say different labels."""
        return len(set(self.said.values())) > 1

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that say what counts, sorted."""
        return tuple(sorted(key for key, label in self.said.items() if label == self.label))

    def without(self, key: str) -> str | None:
        """Return what would count if one key had said nothing."""
        return majority({each: label for each, label in self.said.items() if each != key})


def majority(said: Mapping[str, str]) -> str | None:
    """Return the label that most keys say; None where none does, or two have as many.

    >>> majority({"ann": "spam", "bob": "ham", "app": "spam"})
    'spam'
    >>> majority({"ann": "spam", "bob": "ham"})
    """
    if len(labels := set(said.values())) < 2:
        # As nearly everywhere.
        return next(iter(labels), None)
    ranked = Counter(said.values()).most_common(2)
    return None if ranked[0][1] == ranked[1][1] else ranked[0][0]


def votes(
    database: Database, task: str, *, since: float, until: float, counted: Callable[[str], None] | None = None
) -> Iterator[Vote]:
    """Yield what is said of each decision of a task that was made in a span, in the order of ids.

    ``counted`` is told the key of every row. Memory does not grow with the rows. Raises DatabaseError.
    """
    rows = _rows(database, (task, stamp(since), stamp(until)))
    for _, group in groupby(rows, key=itemgetter(0)):
        yield _vote(group, counted or (lambda _: None))


def count_unmatched(database: Database, task: str, *, since: float, until: float) -> tuple[int, int]:
    """Return how many rows of feedback, and decisions in them, the log has not been seen to have.

    The span is that in which the feedback was given; rows that name no task count for each.
    """
    with database.reading() as connection:
        rows, decisions = connection.execute(UNMATCHED, (stamp(since), stamp(until), task)).fetchall()[0]
    return rows, decisions


def leading_key(database: Database, task: str, *, since: float, until: float) -> str | None:
    """Return the key that gave the most labels of decisions of a task made in a span, None without any."""
    with database.reading() as connection:
        found = connection.execute(LEADING, (task, stamp(since), stamp(until))).fetchall()
    return str(found[0][0]) if found else None


def _rows(database: Database, span: tuple[str, str, str]) -> Iterator[tuple[Any, ...]]:
    last: tuple[Any, ...] = ("", "", "")
    while True:
        with database.reading() as connection:
            page = connection.execute(SELECT, (*span, *last, PAGE)).fetchall()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1][:3]


def _vote(group: Iterator[tuple[Any, ...]], counted: Callable[[str], None]) -> Vote:
    newest: dict[str, tuple[str, str]] = {}
    foreign, astray, reviewers = set(), set(), set()
    for row in group:
        key, label, at, reviewer, meant = row[1:6]
        counted(key)
        if meant not in ("", row[13]):
            astray.add(key)
        elif not reviewer and key != row[11]:
            foreign.add(key)
        else:
            newest[key] = max(newest.get(key, ("", "")), (at, label))
            if reviewer:
                reviewers.add(key)
    said = {key: label for key, (_, label) in newest.items()}
    return Vote(
        decision=row[0],
        version=row[6],
        decided=row[7],
        confidence=row[8],
        decided_by=row[9],
        review=bool(row[10]),
        at=row[12],
        said=said,
        reviewers=frozenset(reviewers),
        label=majority(said),
        foreign=len(foreign - said.keys()),
        astray=len(astray - said.keys()),
    )

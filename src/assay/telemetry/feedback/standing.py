"""Where a task stands by what people said of its decisions: who said how much, how good each version is."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from assay.config import Task
from assay.database import Database
from assay.telemetry.decisions.record import Record
from assay.telemetry.feedback.quality import Figure, Quality, measure
from assay.telemetry.feedback.store import stamp
from assay.telemetry.feedback.strata import Stratum, Totals, counted, stratum_of
from assay.telemetry.feedback.votes import Vote, count_unmatched, leading_key, votes

HEAVY = 0.5
"""From this share of the labels on, the figures are also told without those of one key."""
SHOWN = 5
"""How many keys are named."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What is known of one version: by label, and without the key that said most, where that is much."""

    version: str
    decisions: int
    labelled: int
    labels: dict[str, Quality]
    without: dict[str, Quality] = field(default_factory=dict)


@dataclass(kw_only=True)
class Standing:
    """What was said of a task's decisions in a span, and what follows from it."""

    task: str
    positive: str
    rows: int = 0
    """Labels on decisions that were found in the log; a key's change of mind is one more."""
    matched: int = 0
    unmatched: int = 0
    unmatched_rows: int = 0
    foreign: int = 0
    """Keys' labels of decisions that another key asked for, which are not counted."""
    astray: int = 0
    contradicted: int = 0
    tied: int = 0
    gone: int = 0
    """Decisions with a label that were made before the first one in the log."""
    keys: Counter[str] = field(default_factory=Counter)
    leading: str | None = None
    versions: list[Version] = field(default_factory=list)

    def count(self, key: str) -> None:
        """Count one label of a key."""
        self.keys[key] += 1
        self.rows += 1

    def take(self, vote: Vote) -> None:
        """Count what is said of one decision."""
        self.matched += 1
        self.foreign += vote.foreign
        self.astray += vote.astray
        self.contradicted += vote.contradicted
        self.tied += vote.contradicted and vote.label is None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        told = {name: value for name, value in vars(self).items() if name != "versions"}
        told["keys"] = dict(self.keys)
        told["versions"] = [
            {**vars(each), "labels": _plain(each.labels), "without": _plain(each.without)}
            for each in self.versions
        ]
        return told

    def lines(self) -> Iterator[str]:
        """Yield all of it for people."""
        kept = self.rows + self.unmatched_rows
        yield f"{self.task}: {kept:,} labels{self._givers()}"
        yield f"  {self.matched:,} decisions found in the decision log, {self.unmatched:,} not found there"
        for count, what in (
            (self.foreign, "labels of decisions that another key asked for: kept, not counted"),
            (self.astray, "labels that were meant for another task: kept, not counted"),
            (self.contradicted, f"decisions that keys label differently; {self.tied:,} without a majority"),
            (self.gone, "labelled decisions that have left the log: not counted"),
        ):
            if count:
                yield f"  {count:,} {what}"
        for version in self.versions:
            yield ""
            yield from _version_lines(version, self.leading)
        if self.versions:
            yield ""
            yield from NOTES

    def _givers(self) -> str:
        if not self.keys:
            return ""
        total = self.keys.total()
        named = [f"{key or '(no key)'} {count / total:.0%}" for key, count in self.keys.most_common(SHOWN)]
        more = f" and {len(self.keys) - SHOWN:,} more" if len(self.keys) > SHOWN else ""
        return f", from {', '.join(named)}{more}"


NOTES = (
    "measured: as if labels had been given at random within each kind of decision (label, tier, review,",
    "confidence); where nobody labelled any of a kind, anything may be true. labelled only: what the labels",
    "say by themselves. expected: needs no labels, and holds as far as the calibration does: through a",
    "change of what is asked, not of what is right. In parentheses: bounds that hold 95 % of the time.",
)


def stand(
    database: Database, task: Task, records: Iterable[Record], *, since: float, until: float
) -> Standing:
    """Return where a task stands, given the records of its log in a span.

    Memory grows neither with the records nor with the labels. Raises DatabaseError.
    """
    totals = counted(record for record in records if record.task == task.name)
    begun = stamp(totals.first) if totals.first is not None else ""
    leading = leading_key(database, task.name, since=since, until=until)
    standing = Standing(task=task.name, positive=task.positive, leading=leading)
    said, without = Said(), Said()
    for vote in votes(database, task.name, since=since, until=until, counted=standing.count):
        standing.take(vote)
        if not begun or vote.at < begun:
            standing.gone += vote.label is not None
            continue
        said.add(vote, vote.label)
        without.add(vote, None if leading is None else vote.without(leading))
    standing.unmatched_rows, standing.unmatched = count_unmatched(
        database, task.name, since=since, until=until
    )
    heavy = leading is not None and standing.keys[leading] >= HEAVY * standing.keys.total()
    others = without if heavy and len(standing.keys) > 1 else None
    standing.versions = [
        _version(task, number, totals, said, others) for number in totals.versions(task.name)
    ]
    return standing


class Said:
    """How many decisions of each version and kind were given each label."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[Stratum, dict[str, int]]] = {}

    def add(self, vote: Vote, label: str | None) -> None:
        """Count one decision, unless it has no label."""
        if label is not None:
            stratum = stratum_of(vote.decided, vote.decided_by, vote.review, vote.confidence)
            of = self.labels.setdefault(vote.version, {}).setdefault(stratum, {})
            of[label] = of.get(label, 0) + 1

    def of(self, version: str) -> dict[Stratum, dict[str, int]]:
        """Return the labels of one version."""
        return self.labels.get(version, {})


def _version(task: Task, number: str, totals: Totals, said: Said, others: Said | None) -> Version:
    cells = totals.of(task.name, number)
    shown = (task.positive,) if task.binary else task.labels

    def judged(given: Said) -> dict[str, Quality]:
        count = len(task.labels)
        return {label: measure(cells, given.of(number), label, count=count) for label in shown}

    return Version(
        version=number,
        decisions=round(sum(cell.weight for cell in cells.values())),
        labelled=sum(sum(given.values()) for given in said.of(number).values()),
        labels=judged(said),
        without=judged(others) if others and others.of(number) else {},
    )


def _version_lines(version: Version, leading: str | None) -> Iterator[str]:
    yield (
        f"version {version.version or '(a folder)'}: {version.decisions:,} decisions, "
        f"{version.labelled:,} of them labelled"
    )
    for label, quality in version.labels.items():
        titles = ("measured", "labelled only", "expected", "expected - measured")
        yield f"  {label:12}" + "".join(f"{title:26}" for title in titles).rstrip()
        for name in quality.measured:
            figures = quality if version.labelled else quality._replace(measured={}, naive={})
            cells = (each.get(name) for each in figures)
            yield f"    {name:10}" + "".join(f"{_shown(cell):26}" for cell in cells).rstrip()
    for label, quality in version.without.items():
        told = ", ".join(f"{name} {_shown(figure)}" for name, figure in quality.measured.items())
        yield f"  without what {leading or '(no key)'} said, {label}: {told}"


def _shown(figure: Figure | None) -> str:
    return "-" if figure is None else str(figure)


def _plain(labels: dict[str, Quality]) -> dict[str, Any]:
    return {
        label: {
            part: {name: figure and figure._asdict() for name, figure in figures.items()}
            for part, figures in quality._asdict().items()
        }
        for label, quality in labels.items()
    }

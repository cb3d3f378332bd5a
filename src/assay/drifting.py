"""``assay drift``: the log of a task read back, and what its decisions look like against the profile."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.config import Task, find_task, read_task
from assay.estimators import Profile, Reference, load_artifact, profile_of, read_held_out, read_manifest
from assay.estimators import read_profile as profile_in
from assay.exceptions import AssayError, ConfigError, DataError, MissingExtra, VersionNotFound
from assay.loading import has_file, open_registry
from assay.moments import parse_moment_back
from assay.notation import parts
from assay.progress import Progress
from assay.registry import open_version, tenures
from assay.settings import Settings
from assay.telemetry import (
    FEWEST_DECISIONS,
    Gathered,
    Look,
    Notes,
    Record,
    Swap,
    Traffic,
    block_edges,
    look_at,
    read_records,
    traffic_of,
)

if TYPE_CHECKING:
    from assay.datasets import Dataset

FOLDER = "a folder"
"""What stands for the version of an artifact folder, which has no number."""


@dataclass
class _Log:
    """A span of the decision log, read once for each question."""

    folder: Path
    task: str
    since: float
    until: float
    notes: Notes = field(default_factory=Notes)
    tasks: Counter[str] = field(default_factory=Counter)

    def records(self) -> Iterator[Record]:
        self.notes, self.tasks = Notes(), Counter()
        for record in read_records(self.folder, since=self.since, until=self.until, notes=self.notes):
            self.tasks[record.task] += 1
            if record.task == self.task:
                yield record


def look_back(
    reference: str,
    settings: Settings,
    *,
    since: str,
    until: str = "",
    version: str | None = None,
    progress: Progress,
    now: datetime | None = None,
) -> Look:
    """Return what a version of a task decided in a span of the log, against its profile.

    ``reference`` is a task's name or path, or an artifact folder; without a ``version`` it is the one that
    decided most. Raises ConfigError for a span that cannot be, DataError without decisions or anything to
    compare them with, LogError, VersionNotFound, ArtifactError, RegistryUnavailable, MissingExtra.
    """
    start, end = span(since, until, now or datetime.now(UTC))
    log = _Log(settings.decisions, task_name(reference, settings), start.timestamp(), end.timestamp())
    with progress.step("count what was decided"):
        traffic = traffic_of(log.records(), log.since, log.until)
    number = choose(traffic, version, log)
    chosen = traffic[number]
    folder = artifact_folder(reference, number, chosen, settings)
    task = task_of_rows(reference, folder, settings)
    dataset, unread = read_held_out_rows(task, chosen.decisions, folder, settings, progress)
    base = baseline(folder, dataset, unread)
    gathered = Gathered(block_edges(chosen, log.since, log.until), base.profile.statistics)
    with progress.step(f"compare {chosen.decisions:,} decisions with the profile"):
        gathered.take(each for each in log.records() if each.version == number)
    swaps, unknown = swaps_of(chosen.model, number, log, settings)
    with progress.step("look for words that came and went"):
        return look_at(
            gathered,
            base.profile,
            positive=read_task(folder / "task.toml").positive,
            held_out=dataset.test.texts if dataset else [],
            unread=unread,
            notes=(*base.notes, *unknown, *log.notes.lines()),
            model=chosen.model,
            version=number,
            since=start,
            until=end,
            others={each or FOLDER: found.decisions for each, found in traffic.items() if each != number},
            swaps=swaps,
            source=base.source,
        )


def span(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the moments between which decisions are looked at; raises ConfigError."""
    start, end = parse_moment_back(since, now), parse_moment_back(until, now) if until else now
    if start >= now:
        raise ConfigError(f"--since {since} is {start:%Y-%m-%d %H:%M} UTC, which is still to come.")
    if start >= end:
        raise ConfigError(
            f"The span ends before it begins: from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC. Give "
            "an earlier --since or a later --until."
        )
    return start, min(end, now)


def task_name(reference: str, settings: Settings) -> str:
    """Return the name under which a task's decisions are logged."""
    if is_artifact(reference):
        return read_manifest(Path(reference)).task
    return find_task(reference, settings.tasks).name if has_file(reference, settings) else reference


def is_artifact(reference: str) -> bool:
    """Return whether a reference is an artifact folder."""
    return (Path(reference) / "manifest.json").is_file()


def choose(traffic: dict[str, Traffic], version: str | None, log: _Log) -> str:
    """Return the version to look at; raises DataError where it decided nothing in the span."""
    written = f"from {minute(log.since)} to {minute(log.until)}"
    if not traffic:
        tasks = ", ".join(f"{task} ({count:,})" for task, count in sorted(log.tasks.items())) or "no decision"
        raise DataError(
            f"The decision log in {str(log.folder)!r} has no decision of the task {log.task!r} {written}; it "
            f"has {tasks}. Look at a longer span (--since 7d), or name another task.",
            task=log.task,
        )
    if version is None:
        return max(traffic, key=lambda each: traffic[each].decisions)
    if version not in traffic:
        told = ", ".join(f"{each or FOLDER} ({found.decisions:,})" for each, found in traffic.items())
        raise DataError(
            f"Version {version!r} of {log.task!r} decided nothing {written}. Those that did: {told}.",
            version=version,
        )
    return version


def artifact_folder(reference: str, number: str, traffic: Traffic, settings: Settings) -> Path:
    """Return the artifact folder of the version; raises as ``look_back``."""
    if number:
        return open_version(settings.store, traffic.model, number, settings.cache)[1]
    named = [reference, *parts(settings.models)]
    for each in named:
        if is_artifact(each) and read_manifest(Path(each)).task == task_name(reference, settings):
            return Path(each)
    raise VersionNotFound(
        "These decisions were made by an artifact folder that has no version number, and none of the task "
        "is known here. Name the folder in the place of the task, or in ASSAY_MODELS."
    )


def task_of_rows(reference: str, folder: Path, settings: Settings) -> Task:
    """Return the task whose rows are held out: that of its file, else the one saved with the version."""
    if not is_artifact(reference) and has_file(reference, settings):
        return find_task(reference, settings.tasks)
    return read_task(folder / "task.toml")


def read_held_out_rows(
    task: Task, decisions: int, folder: Path, settings: Settings, progress: Progress
) -> "tuple[Dataset | None, str]":
    """Return the rows of a task, or None and why they cannot be read or need not be."""
    from assay.judging import read_rows

    try:
        # They may have to be fetched, which takes its time.
        if decisions < FEWEST_DECISIONS and profile_in(folder) is not None:
            return None, f"there are only {decisions:,} decisions; it takes {FEWEST_DECISIONS}"
        return read_rows(task, settings, progress=progress), ""
    except (DataError, ConfigError, MissingExtra) as error:
        return None, f"the rows of the task {task.name!r} cannot be read: {error.message}"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What decisions are compared with, where it is from, and what is to be said of that."""

    profile: Profile
    source: str
    notes: tuple[str, ...] = ()


def baseline(folder: Path, dataset: "Dataset | None", unread: str) -> Baseline:
    """Return the profile of an artifact, else one of the rows held out now, else what its report says.

    Raises DataError where there is none of the three, ArtifactError for a damaged one.
    """
    profile = profile_in(folder)
    if profile is not None:
        return Baseline(profile=profile, source="profile")
    how = "The next version will have one: assay train."
    if dataset is not None and len(dataset.test):
        cascade, held_out = load_artifact(folder), read_held_out(folder)
        notes = [f"This version was saved without a profile; one was made now of the task's rows. {how}"]
        seen = held_out.seen(dataset.test.texts) if held_out else None
        if seen is not None and (count := int(seen.sum())):
            notes.append(f"Beware: the version was trained on {count:,} of these rows, and is surer of them.")
        profile = profile_of(cascade, dataset.test.texts)
        return Baseline(profile=profile, source="rows", notes=tuple(notes))
    if labels := labels_of_report(folder):
        said = f"This version was saved without a profile, and {unread} Only labels are compared. {how}"
        return Baseline(profile=labels, source="report", notes=(said,))
    raise DataError(
        f"There is nothing to compare these decisions with: the version was saved without a profile and "
        f"without a report, and {unread} {how}"
    )


def labels_of_report(folder: Path) -> Profile | None:
    """Return the labels that a version gave to its held-out rows, by its report; None without one."""
    from assay.evaluation import Report

    path = folder / "report.json"
    if path.name not in read_manifest(folder).files:
        return None
    report = Report.from_json(path.read_bytes(), source=str(path))
    given = tuple(sum(row[at] for row in report.confusion) for at in range(len(report.labels)))
    labels = Reference(name="label", kind="categories", labels=report.labels, counts=given)
    return Profile(task=report.task, rows=report.rows, statistics=(labels,))


def swaps_of(
    model: str, number: str, log: _Log, settings: Settings
) -> tuple[tuple[Swap, ...], tuple[str, ...]]:
    """Return when versions took over production in the span, and a note where that is not known."""
    if not number:
        return (), ()
    try:
        entries = open_registry(settings).history(model)
    except AssayError as error:
        return (), (f"Whether versions took over in this span is not known: {error.message}",)
    found = [
        Swap(at=each.since, after=each.version, before=each.entry.before)
        for each in tenures(entries)
        if each.version and log.since <= each.since.timestamp() < log.until
    ]
    return tuple(found), ()


def minute(moment: float) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"

"""What watches the decisions of a service, wired from the settings: their log, drift, live quality."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from assay.config import Task
from assay.database import Database
from assay.estimators import Cascade, Profile, unknown_share
from assay.service import Models
from assay.serving import RunFolder
from assay.settings import Settings
from assay.telemetry import Counters, DecisionLog, DriftMonitor, LogPolicy, QualityWatch

Section = Literal["decision_log", "drift"]


@dataclass(frozen=True, kw_only=True)
class Watching:
    """The decision log of one worker and what looks at its records; each part may be switched off."""

    log: DecisionLog | None = None
    drift: DriftMonitor | None = None
    quality: QualityWatch | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the block runs, and take in at its end what was decided last."""
        with ExitStack() as stack:
            if self.drift:
                stack.enter_context(self.drift.running())
            if self.log:
                stack.enter_context(self.log.running())
            if self.quality:
                stack.enter_context(self.quality.running())
            yield

    def sections(self) -> dict[Section, Callable[[], Mapping[str, Any]]]:
        """Return what each part tells of itself under ``/health``."""
        sections: dict[Section, Callable[[], Mapping[str, Any]]] = {}
        if self.log:
            sections["decision_log"] = self.log.state
        if self.drift:
            sections["drift"] = self.drift.state
        return sections


def watch(
    settings: Settings, models: Models, metrics: Counters, people: Database, run: RunFolder | None
) -> Watching:
    """Return what watches the decisions of a service, by its settings.

    Raises ConfigError when the decision log cannot be written.
    """
    drift = DriftMonitor(profiles_of(models), metrics, run.drift if run else None) if settings.drift else None
    if not settings.decision_log and drift is None:
        return Watching()
    folder = settings.decisions if settings.decision_log else None
    log = DecisionLog(
        folder,
        metrics=metrics,
        policy=policy_of(settings),
        observers=[drift.observe] if drift else [],
        unknown=unknown_in,
    )
    quality = (
        QualityWatch(people, folder, tasks=lambda: tasks_of(models), metrics=metrics) if folder else None
    )
    return Watching(log=log, drift=drift, quality=quality)


def policy_of(settings: Settings) -> LogPolicy:
    """Return what is kept of decisions, and how."""
    return LogPolicy(
        text=settings.decision_text,
        key=settings.decision_key,
        sync=settings.decision_sync,
        share=settings.decision_share,
        rotate_bytes=settings.decision_rotate_bytes,
        rotate_seconds=settings.decision_rotate_seconds,
        days=settings.decision_days,
    )


def profiles_of(models: Models) -> Callable[[str, str], Profile | None]:
    """Return the way from a task and a version to its profile, for versions that answer or did before."""

    def find(task: str, version: str) -> Profile | None:
        seat = models.seat(task)
        both = (each.cascade for each in (seat.served, seat.previous) if each)
        return next((each.profile for each in both if each.version == version), None)

    return find


def tasks_of(models: Models) -> list[Task]:
    """Return the tasks that are served."""
    return [served.cascade.task for served in models.served.values()]


def unknown_in(cascade: Cascade, text: str) -> float | None:
    """Return the share of a text's words that a cascade's model does not know."""
    return unknown_share(cascade.model, text)

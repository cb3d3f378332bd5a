"""What is served: for each task the cascade that answers, or the reason why none does."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from assay.estimators import Cascade, Golden
from assay.exceptions import RequestRefused
from assay.service.errors import fault, shown

PREFERRED_TASK = "sentiment"
HOW_TO_TRAIN = "Train one with: assay train TASK --promote (or make quickstart)"


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A cascade that answers for its task, where it came from, and the decisions that it has to give."""

    cascade: Cascade
    stage: str = "None"
    golden: Golden | None = None
    loaded_at: str = field(default_factory=now)

    @property
    def version(self) -> str:
        """The number of its version; empty for a folder."""
        return self.cascade.version

    def state(self) -> dict[str, Any]:
        """Return what answers, as ``/health`` shows it."""
        task = self.cascade.task
        return {
            "model": task.model,
            "version": self.version,
            "stage": self.stage,
            "loaded_at": self.loaded_at,
            "labels": list(self.cascade.labels),
            "positive": task.positive if task.binary else None,
        }


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A version that should answer for a task and does not; ``reason`` says why."""

    reason: str
    model: str = ""
    version: str = ""
    stage: str = "None"

    def state(self) -> dict[str, Any]:
        """Return what does not answer, as ``/health`` shows it."""
        return {
            "model": self.model,
            "version": self.version,
            "stage": self.stage,
            "loaded_at": None,
            "labels": [],
            "positive": None,
        }


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One task: what answers, what answered before and is kept ready, and what should answer and does not."""

    served: Served | None = None
    previous: Served | None = None
    missing: Missing | None = None

    def taken_by(self, served: Served) -> "Seat":
        """Return the seat with another cascade on it; who leaves it is kept ready."""
        same = self.served is not None and self.served.cascade is served.cascade
        return Seat(served=served, previous=self.previous if same else self.served)

    def state(self) -> dict[str, Any]:
        """Return what answers, what is kept ready and what is wanted instead, as ``/health`` shows it."""
        shown = self.served or self.missing or Missing(reason="")
        return {
            **shown.state(),
            "previous": self.previous.version if self.previous else None,
            "wanted": self.missing.version or None if self.missing else None,
            "reason": self.missing.reason if self.missing else None,
        }


class Models:
    """The cascades being served, by task.

    A request takes the cascade of its task once and keeps it to its end; a task's seat changes by one
    assignment. So no answer mixes two versions.

    Parameters
    ----------
    default_task
        Task of the unversioned paths. When empty: ``sentiment`` when it is known, else the first task
        by name. A task that cannot be served keeps its place, so that its callers never get another
        task's decisions.
    """

    def __init__(self, *, default_task: str = "") -> None:
        self._default_task = default_task
        self._seats: dict[str, Seat] = {}
        self._writing = threading.Lock()
        self.absence = ""
        """Why there are no models at all, when something other than their absence is the reason."""

    def seat(self, task: str) -> Seat:
        """Return the seat of a task; an empty one when it is unknown."""
        return self._seats.get(task, Seat())

    def put(self, task: str, seat: Seat) -> None:
        """Give a task another seat; an empty one makes the task unknown."""
        # A new dictionary instead of a changed one: seats change in threads while requests read this.
        with self._writing:
            others = {name: each for name, each in self._seats.items() if name != task}
            known = seat.served or seat.missing
            self._seats = dict(sorted({**others, task: seat}.items())) if known else others

    def serve(self, served: Served) -> None:
        """Let a cascade answer for its task from now on."""
        task = served.cascade.task.name
        self.put(task, self.seat(task).taken_by(served))

    def refuse(self, task: str, missing: Missing) -> None:
        """Say what should answer for a task and why it does not; what answers goes on."""
        self.put(task, replace(self.seat(task), missing=missing))

    @property
    def seats(self) -> dict[str, Seat]:
        """Every known task's seat, by name."""
        return self._seats

    @property
    def served(self) -> dict[str, Served]:
        """What answers, by task."""
        return {name: seat.served for name, seat in self._seats.items() if seat.served}

    @property
    def missing(self) -> dict[str, Missing]:
        """What should answer and does not, by task."""
        return {name: seat.missing for name, seat in self._seats.items() if seat.missing}

    @property
    def complete(self) -> bool:
        """True when something is served and nothing is missing."""
        return bool(self._seats) and not self.missing

    @property
    def default_task(self) -> str | None:
        """Task of the unversioned paths, or None when no task is known."""
        if self._default_task:
            return self._default_task
        return PREFERRED_TASK if PREFERRED_TASK in self._seats else next(iter(self._seats), None)

    def check_ready(self) -> None:
        """Raise RequestRefused with 503, the reasons and what helps, when no task can be decided."""
        if self.served:
            return
        reasons = [f"{task}: {missing.reason}" for task, missing in self.missing.items()] or [self.absence]
        message = " ".join(["No model is loaded.", *filter(None, reasons), f"{HOW_TO_TRAIN}."])
        raise RequestRefused(message, status=503, code="not_ready")

    def get(self, task: str | None = None) -> Cascade:
        """Return the cascade of a task, by default of the default task.

        Raises RequestRefused with 404 (unknown task) or 503 (it has no model).
        """
        name = task or self.default_task or ""
        seat = self.seat(name)
        if seat.served:
            return seat.served.cascade
        self.check_ready()
        if seat.missing or not task:
            missing = seat.missing or Missing(reason=f"{HOW_TO_TRAIN}.")
            message = f"The task {shown(name)} has no model. {missing.reason}"
            raise RequestRefused(message, status=503, code="not_ready")
        raise unknown_task(name, list(self.served))


def unknown_task(task: str, known: list[str]) -> RequestRefused:
    """Return the refusal of a task that is not served."""
    message = f"There is no task {shown(task)}; served are {known}."
    return RequestRefused(
        message, status=404, code="unknown_task", detail=[fault("task", f"Served are {known}.", task)]
    )

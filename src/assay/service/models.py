"""What is served: for each task the cascade that answers, or the reason why none does."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from assay.estimators import Cascade
from assay.exceptions import RequestRefused
from assay.service.errors import fault, shown

PREFERRED_TASK = "sentiment"
HOW_TO_TRAIN = "Train one with: assay train TASK --promote (or make quickstart)"


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A cascade that answers for its task, and where it came from."""

    cascade: Cascade
    stage: str = "None"
    loaded_at: str = field(default_factory=now)

    def state(self) -> dict[str, Any]:
        """Return what answers, as ``/health`` shows it."""
        task = self.cascade.task
        return {
            "model": task.model,
            "version": self.cascade.version,
            "stage": self.stage,
            "loaded_at": self.loaded_at,
            "labels": list(self.cascade.labels),
            "positive": task.positive if task.binary else None,
            "reason": None,
        }


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A version that should answer for a task and does not; ``reason`` says why."""

    reason: str
    model: str = ""
    version: str = ""
    stage: str = "None"

    def state(self) -> dict[str, Any]:
        """Return what does not answer and why, as ``/health`` shows it."""
        return {**asdict(self), "loaded_at": None, "labels": [], "positive": None}


class Models:
    """The cascades being served, by task.

    Parameters
    ----------
    default_task
        Task of the unversioned paths. When empty: ``sentiment`` when it is known, else the first task
        by name. A task that cannot be served keeps its place, so that its callers never get another
        task's decisions.
    """

    def __init__(self, *, default_task: str = "") -> None:
        self._default_task = default_task
        self._served: dict[str, Served] = {}
        self._missing: dict[str, Missing] = {}
        self.absence = ""
        """Why there are no models at all, when something other than their absence is the reason."""

    def serve(self, served: Served) -> None:
        """Let a cascade answer for its task from now on."""
        task = served.cascade.task.name
        # New dictionaries instead of changed ones: tasks are loaded in a thread while requests read these.
        self._served = {**self._served, task: served}
        self._missing = {name: missing for name, missing in self._missing.items() if name != task}

    def refuse(self, task: str, missing: Missing) -> None:
        """Say why a task has no model."""
        self._missing = {**self._missing, task: missing}

    @property
    def served(self) -> dict[str, Served]:
        """What answers, by task."""
        return dict(sorted(self._served.items()))

    @property
    def missing(self) -> dict[str, Missing]:
        """What should answer and does not, by task."""
        return dict(sorted(self._missing.items()))

    @property
    def complete(self) -> bool:
        """True when something is served and nothing is missing."""
        return bool(self._served) and not self._missing

    @property
    def default_task(self) -> str | None:
        """Task of the unversioned paths, or None when no task is known."""
        known = sorted({*self._served, *self._missing})
        if self._default_task:
            return self._default_task
        return PREFERRED_TASK if PREFERRED_TASK in known else next(iter(known), None)

    def check_ready(self) -> None:
        """Raise RequestRefused with 503, the reasons and what helps, when no task can be decided."""
        if self._served:
            return
        reasons = [f"{task}: {missing.reason}" for task, missing in self.missing.items()] or [self.absence]
        message = " ".join(["No model is loaded.", *filter(None, reasons), f"{HOW_TO_TRAIN}."])
        raise RequestRefused(message, status=503, code="not_ready")

    def get(self, task: str | None = None) -> Cascade:
        """Return the cascade of a task, by default of the default task.

        Raises RequestRefused with 404 (unknown task) or 503 (it has no model).
        """
        name = task or self.default_task or ""
        served = self._served.get(name)
        if served:
            return served.cascade
        self.check_ready()
        if name in self._missing or not task:
            missing = self._missing.get(name, Missing(reason=f"{HOW_TO_TRAIN}."))
            message = f"The task {shown(name)} has no model. {missing.reason}"
            raise RequestRefused(message, status=503, code="not_ready")
        raise _unknown(name, list(self.served))


def _unknown(task: str, known: list[str]) -> RequestRefused:
    message = f"There is no task {shown(task)}; served are {known}."
    return RequestRefused(
        message, status=404, code="unknown_task", detail=[fault("task", f"Served are {known}.", task)]
    )

"""Counts of what watches the decisions: their log, drift and feedback."""

from collections.abc import Collection, Mapping

from assay.telemetry.metrics.families import Families
from assay.telemetry.metrics.gone import Series, Values

BOUNDS = ("low", "estimate", "high")


class WatchCounts:
    """What the decision log, the watch on drift and feedback tell of themselves.

    Drift and quality are of versions that answer: what is told of another version of a task is not shown,
    and what was shown of a version is taken away when it no longer answers.
    """

    def __init__(self, families: Families) -> None:
        self._families = families
        self._answering: dict[str, str] = {}
        self._drift: dict[tuple[str, str], Series] = {}
        self._quality: dict[tuple[str, str], Series] = {}

    def logged(self, count: int, bytes: int) -> None:
        """Count decisions that were written to the decision log, and their bytes."""
        self._families.logged.inc(count)
        self._families.logged_bytes.inc(bytes)

    def unlogged_decisions(self, count: int) -> None:
        """Count decisions that the decision log should have and has not."""
        self._families.unlogged_decisions.inc(count)

    def log_state(self, waiting: int, lag: float) -> None:
        """Say how many decisions wait for the log, and how many seconds the oldest has waited."""
        self._families.log_waiting.set(waiting)
        self._families.log_lag.set(lag)

    def drift(
        self, task: str, version: str, scores: Mapping[str, float], alarms: Collection[str], decisions: int
    ) -> None:
        """Say how far each statistic of a version is from its profile, and which are told to have moved."""
        if self._answers(task, version):
            families = self._families
            shown: Values = {(): (families.drift_decisions.labels(task, version), float(decisions))}
            for name, score in scores.items():
                shown["score", name] = families.drift_score.labels(task, version, name), score
            for name in {*scores, *alarms}:
                alarm = families.drift_alarm.labels(task, version, name)
                shown["alarm", name] = alarm, float(name in alarms)
            self._drift.setdefault((task, version), Series()).show(shown)

    def feedback(self, task: str, outcome: str) -> None:
        """Count a label that somebody sent, by what became of it."""
        self._families.feedback.labels(task, outcome).inc()

    def quality(
        self, task: str, version: str, values: Mapping[str, tuple[float, float, float]], labels: int
    ) -> None:
        """Say how good a version is on decisions that have labels: low bound, estimate and high bound."""
        if self._answers(task, version):
            families = self._families
            shown: Values = {(): (families.quality_labels.labels(task, version), float(labels))}
            for metric, bounds in values.items():
                for bound, value in zip(BOUNDS, bounds, strict=True):
                    shown[metric, bound] = families.quality.labels(task, version, metric, bound), value
            self._quality.setdefault((task, version), Series()).show(shown)

    def _answers(self, task: str, version: str) -> bool:
        return self._answering.get(task, version) == version

    def _left(self, task: str, version: str) -> None:
        """Take away what is shown of a version that no longer answers."""
        for shown in (self._drift, self._quality):
            if series := shown.pop((task, version), None):
                series.show({})

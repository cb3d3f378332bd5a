"""States that no longer hold: how a series is taken away where several processes write it."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Gauge, Metric
from prometheus_client.registry import Collector

GONE = -1.0
"""What stands in a gauge that has nothing to tell (any more): all of them count from 0 up.

The files that workers share have no way to take a value back. Under ``livemax`` a worker that has
something to tell wins over those that have not; a series of which all say this is left out.
"""

Values = dict[tuple[str, ...], tuple[Gauge, float]]
"""Gauges with what they shall say; a key tells them apart."""


class Present(Collector):
    """Gives what another collector does, without the samples that are gone."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        for metric in self._collect():
            if metric.type == "gauge":
                metric.samples = [sample for sample in metric.samples if sample.value != GONE]
            yield metric


class Series:
    """The series of some gauges that belong to one version of a task, so that they can go together."""

    def __init__(self) -> None:
        self._set: dict[tuple[str, ...], Gauge] = {}

    def show(self, values: Values) -> None:
        """Show these values and no others."""
        for key in self._set.keys() - values.keys():
            self._set.pop(key).set(GONE)
        for key, (gauge, value) in values.items():
            gauge.set(value)
            self._set[key] = gauge

"""What Prometheus reads of counters."""

from prometheus_client.parser import text_string_to_metric_families

from assay.telemetry import Counters

Labels = tuple[tuple[str, str], ...]


def samples(counters: Counters) -> dict[tuple[str, Labels], float]:
    """Return every sample that a scrape reads, by name and labels."""
    families = text_string_to_metric_families(counters.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value(counters: Counters, name: str, **labels: str) -> float | None:
    """Return one sample; None where there is none."""
    return samples(counters).get((name, tuple(sorted(labels.items()))))

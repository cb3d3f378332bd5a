"""What a service that follows a registry tells of it to the metrics."""

from assay.telemetry import Counters
from tests.moving import Mover, damage
from tests.serving.follower import Service, eventually
from tests.telemetry.scraped import value


def told(counters: Counters) -> tuple[float | None, float | None]:
    """Return whether the registry answers and for how many tasks another version is wanted."""
    return value(counters, "assay_registry_answering"), value(counters, "assay_registry_wanted")


def test_a_registry_that_is_gone_and_a_version_that_is_refused_are_told(mover: Mover) -> None:
    service, database = Service(mover.settings), mover.settings.home / "mlflow.db"
    assert told(service.metrics) == (None, None)
    weights = mover.weights("2")
    with service.polling():
        assert eventually(lambda: told(service.metrics) == (1, 0))
        database.rename(database.with_suffix(".gone"))
        assert eventually(lambda: told(service.metrics) == (0, 0))
        assert eventually(lambda: (value(service.metrics, "assay_registry_age_seconds") or 0) > 0.2)
        database.with_suffix(".gone").rename(database)
        assert eventually(lambda: told(service.metrics) == (1, 0))
        assert eventually(lambda: (value(service.metrics, "assay_registry_age_seconds") or 0) < 5)
        intact = damage(weights)
        try:
            mover.put_alias("2")
            assert eventually(lambda: told(service.metrics) == (1, 1))
        finally:
            weights.write_bytes(intact)

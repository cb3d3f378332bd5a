"""What an operator does over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.exceptions import DatabaseError
from assay.service import Exchange, Missing, Models, Served, create_app
from assay.telemetry import Counters


class Promoted:
    """A registry in which version 2 was promoted."""

    def __init__(self, models: Models, cascade: Cascade) -> None:
        self.models, self.cascade = models, cascade
        self.trouble: str | None = None
        self.refreshed = 0

    def state(self) -> dict[str, Any]:
        """Say how it is."""
        return {"asked_at": "2026-01-01T00:00:00+00:00", "reason": self.trouble}

    async def refresh(self) -> str | None:
        """Let version 2 answer."""
        self.refreshed += 1
        if self.trouble is None:
            self.models.serve(Served(cascade=self.cascade.at_version("2"), stage="Production"))
            self.models.refuse(
                "abuse", Missing(reason="It is damaged.", model="AbuseClassifier", version="5")
            )
        return self.trouble


@pytest.fixture
def models(spam_cascade: Cascade) -> Models:
    """Version 1 of spam."""
    models = Models()
    models.serve(Served(cascade=spam_cascade.at_version("1"), stage="Production"))
    return models


@pytest.fixture
def promoted(models: Models, spam_cascade: Cascade) -> Promoted:
    """Who follows."""
    return Promoted(models, spam_cascade)


def client_of(models: Models, follower: Promoted | None, record: Any = None) -> TestClient:
    """Return a client of the service."""
    return TestClient(create_app(models, metrics=Counters(), follower=follower, record=record))


def test_a_refresh_says_for_each_task_what_answers_and_why(models: Models, promoted: Promoted) -> None:
    noted: list[Exchange] = []
    client = client_of(models, promoted, noted.append)
    answer = client.post("/v1/admin/refresh")
    assert answer.json() == {
        "status": "degraded",
        "tasks": {
            "abuse": {"version": None, "before": None, "wanted": "5", "reason": "It is damaged."},
            "spam": {"version": "2", "before": "1", "wanted": None, "reason": None},
        },
    }
    assert [each.path for each in noted] == ["/v1/admin/refresh"]
    health = client.get("/health").json()
    assert (health["status"], health["registry"]["reason"]) == ("degraded", None)


def test_a_refresh_without_a_registry_is_503_and_health_is_degraded(
    models: Models, promoted: Promoted
) -> None:
    promoted.trouble = "The registry is gone."
    client = client_of(models, promoted)
    answer = client.post("/v1/admin/refresh")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "registry_unavailable")
    assert "The registry is gone." in answer.json()["error"]["message"]
    health = client.get("/health").json()
    assert (health["status"], health["registry"]["reason"]) == ("degraded", "The registry is gone.")
    assert client.post("/predict", json={"text": "free prize"}).json()["version"] == "1"


def test_what_cannot_be_written_into_the_audit_log_is_not_done(models: Models, promoted: Promoted) -> None:
    def refuse(_: Exchange) -> None:
        raise DatabaseError("The disk is full.")

    answer = client_of(models, promoted, refuse).post("/v1/admin/refresh")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "audit_unavailable")
    assert promoted.refreshed == 0


def test_a_service_of_folders_has_nothing_to_refresh(models: Models) -> None:
    client = client_of(models, None)
    answer = client.post("/v1/admin/refresh")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_following")
    health = client.get("/health").json()
    assert (health["status"], health["registry"]) == ("ok", None)


def test_nothing_but_post_refreshes(models: Models, promoted: Promoted) -> None:
    client = client_of(models, promoted)
    assert [client.request(method, "/v1/admin/refresh").status_code for method in ("GET", "HEAD", "PUT")] == [
        405
    ] * 3
    assert promoted.refreshed == 0

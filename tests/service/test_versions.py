"""Versions asked for by number."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.exceptions import ArtifactError, RegistryUnavailable, VersionNotFound
from assay.service import Missing, Models, Served, Versions, create_app
from assay.service.limits import KEPT_VERSIONS, PINS_WAITING
from assay.telemetry import Counters

PATH = "/v1/tasks/spam/versions/{}/predict"
BODY = {"text": "free prize, call now"}


class Shelf:
    """A registry of one cascade under many numbers."""

    def __init__(self, cascade: Cascade) -> None:
        self.cascade = cascade
        self.opened: list[str] = []
        self.error: Exception | None = None

    def open(self, model: str, number: str) -> Cascade:
        """Return a version; those from 100 on do not exist."""
        self.opened.append(f"{model}/{number}")
        if self.error:
            raise self.error
        if int(number) >= 100:
            raise VersionNotFound(f"{model!r} has no version {number!r}.")
        return self.cascade.at_version(number)


@pytest.fixture
def shelf(spam_cascade: Cascade) -> Shelf:
    """The registry."""
    return Shelf(spam_cascade)


def client_of(shelf: Shelf, cascade: Cascade) -> tuple[TestClient, Models]:
    """Return a client of a service that has had spam in version 1 and now has it in version 2."""
    models = Models()
    for number in ("1", "2"):
        models.serve(Served(cascade=cascade.at_version(number), stage="Production"))
    versions = Versions(models, shelf.open)
    return TestClient(create_app(models, metrics=Counters(), versions=versions)), models


@pytest.fixture
def client(shelf: Shelf, spam_cascade: Cascade) -> TestClient:
    """The client."""
    return client_of(shelf, spam_cascade)[0]


@pytest.mark.parametrize(("call", "body", "pick"), [
    ("predict", BODY, lambda answer: answer),
    ("predict", {"texts": ["a b", "c d"]}, lambda answer: answer["predictions"][1]),
    ("predict/batch", {"texts": ["a b"]}, lambda answer: answer["predictions"][0]),
    ("batch_predict", {"texts": ["a b"]}, lambda answer: answer[0]),
])  # fmt: skip
def test_every_call_that_decides_takes_a_version(
    call: str, body: object, pick: Callable[[object], dict[str, str]], client: TestClient, shelf: Shelf
) -> None:
    answer = client.post(f"/v1/tasks/spam/versions/7/{call}", json=body)
    assert (answer.status_code, pick(answer.json())["version"]) == (200, "7")
    assert shelf.opened == ["SpamClassifier/7"]


def test_the_version_that_answers_and_the_one_before_are_not_loaded_again(
    client: TestClient, shelf: Shelf
) -> None:
    assert [client.post(PATH.format(number), json=BODY).json()["version"] for number in (1, 2)] == ["1", "2"]
    assert shelf.opened == []


def test_a_version_is_loaded_once(client: TestClient, shelf: Shelf) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://assay") as asking:
            asked = (asking.post(PATH.format(7), json=BODY) for _ in range(PINS_WAITING))
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask())
    assert {answer.json()["version"] for answer in answers} == {"7"}
    assert shelf.opened == ["SpamClassifier/7"]


def test_few_are_kept_and_the_one_not_asked_for_longest_gives_way(client: TestClient, shelf: Shelf) -> None:
    for number in range(3, 3 + KEPT_VERSIONS):
        client.post(PATH.format(number), json=BODY)
    client.post(PATH.format(3), json=BODY)
    client.post(PATH.format(50), json=BODY)
    shelf.opened.clear()
    for number in (3, 50, 4):
        assert client.post(PATH.format(number), json=BODY).json()["version"] == str(number)
    assert shelf.opened == ["SpamClassifier/4"]
    for number in range(20, 99):
        client.post(PATH.format(number), json=BODY)
    assert len(shelf.opened) == 80


@pytest.mark.parametrize("number", ["100", "0", "-1", "01", "latest", "production", "1.0", "٣", "9" * 40])
def test_an_unknown_version_is_404(number: str, client: TestClient, shelf: Shelf) -> None:
    answer = client.post(PATH.format(number), json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_version")
    assert shelf.opened == (["SpamClassifier/100"] if number == "100" else [])


def test_an_unknown_task_is_404(client: TestClient, shelf: Shelf) -> None:
    answer = client.post("/v1/tasks/nope/versions/1/predict", json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_task")
    assert shelf.opened == []


def test_a_version_of_another_task_is_404(client: TestClient, shelf: Shelf, abuse_cascade: Cascade) -> None:
    shelf.cascade = abuse_cascade
    assert client.post(PATH.format(7), json=BODY).status_code == 404


@pytest.mark.parametrize("error", [RegistryUnavailable("It is gone."), ArtifactError("It is damaged.")])
def test_a_version_that_cannot_be_had_is_503_and_asked_for_again(
    error: Exception, client: TestClient, shelf: Shelf
) -> None:
    shelf.error = error
    answer = client.post(PATH.format(7), json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "version_unavailable")
    assert str(error) in answer.json()["error"]["message"]
    shelf.error = None
    assert client.post(PATH.format(7), json=BODY).status_code == 200


def test_a_service_of_folders_has_the_versions_that_it_serves_only(spam_cascade: Cascade) -> None:
    models = Models()
    models.serve(Served(cascade=spam_cascade))
    client = TestClient(create_app(models, metrics=Counters()))
    assert client.post(PATH.format(3), json=BODY).status_code == 404


def test_a_task_whose_version_is_missing_still_has_the_others(spam_cascade: Cascade, shelf: Shelf) -> None:
    models = Models()
    models.serve(Served(cascade=spam_cascade.at_version("1")))
    models.refuse("other", Missing(reason="It is damaged.", model="OtherClassifier", version="4"))
    client = TestClient(create_app(models, metrics=Counters(), versions=Versions(models, shelf.open)))
    assert client.post("/v1/tasks/other/versions/3/predict", json=BODY).status_code == 404
    assert shelf.opened == ["OtherClassifier/3"]


def test_who_waits_for_a_version_holds_up_nobody_else(
    spam_cascade: Cascade, shelf: Shelf, serve: Callable[..., object]
) -> None:
    import httpx

    go_on, opener = threading.Event(), shelf.open

    def slow(model: str, number: str) -> Cascade:
        go_on.wait(60)
        return opener(model, number)

    models = Models()
    models.serve(Served(cascade=spam_cascade.at_version("1")))
    app = create_app(models, metrics=Counters(), versions=Versions(models, slow))
    with serve(app) as address, ThreadPoolExecutor(PINS_WAITING + 4) as pool:  # type: ignore[attr-defined]

        def ask(number: int) -> int:
            return httpx.post(address + PATH.format(number), json=BODY, timeout=60).status_code

        waiting = [pool.submit(ask, number) for number in range(10, 10 + PINS_WAITING + 4)]
        turned_away = 0
        while turned_away < 4:
            turned_away = sum(each.done() for each in waiting)
            assert httpx.post(f"{address}/predict", json=BODY).status_code == 200
            assert ask(1) == 200
        go_on.set()
        statuses = sorted(each.result() for each in waiting)
    assert statuses == [200] * PINS_WAITING + [503] * 4


def test_who_waits_too_long_is_told_so(
    spam_cascade: Cascade, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.service.versions.PIN_SECONDS", 0.05)
    go_on = threading.Event()

    def slow(model: str, number: str) -> Cascade:
        go_on.wait(20)
        return spam_cascade.at_version(number)

    models = Models()
    models.serve(Served(cascade=spam_cascade.at_version("1")))
    client = TestClient(create_app(models, metrics=Counters(), versions=Versions(models, slow)))
    answer = client.post(PATH.format(7), json=BODY)
    assert answer.status_code == 503
    assert "could not be loaded in 0.05 s" in answer.json()["error"]["message"]
    go_on.set()

"""A service that is asked over HTTP while its versions change."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from assay.asgi import build_app
from assay.audit import AuditLog
from assay.database import Database
from assay.serving.runfolder import RunFolder
from tests.moving import TEXTS, Mover, scores_of
from tests.running import read_until, serving
from tests.service.conftest import running
from tests.serving.follower import eventually

PREDICT = "/v1/tasks/spam/predict"
CLIENTS = 4


@pytest.fixture
def expected(spam_artifact: Path, other_artifact: Path) -> dict[str, dict[str, float | None]]:
    """What each version scores each text."""
    return {"1": scores_of(spam_artifact), "2": scores_of(other_artifact)}


@pytest.fixture
def address(mover: Mover) -> Iterator[str]:
    """The address of a service that polls so rarely that it has to be told."""
    settings = mover.settings.model_copy(update={"poll_seconds": 3600.0})
    with running(build_app(settings)) as address:
        yield address


def refresh(address: str) -> dict[str, Any]:
    """Have a service look now."""
    answer: dict[str, Any] = httpx.post(f"{address}/v1/admin/refresh", timeout=60).json()
    return answer


def version_of(answer: list[dict[str, Any]], texts: tuple[str, ...], expected: dict[str, Any]) -> str:
    """Return which version gave all decisions of an answer; raises where they are not of one."""
    [version] = {decision["version"] for decision in answer}
    scores = [decision["score"] for decision in answer]
    assert scores == [expected[version][text] for text in texts], f"not the scores of version {version}"
    return version


def test_under_load_no_request_fails_and_no_answer_mixes_versions(
    address: str, mover: Mover, expected: dict[str, Any]
) -> None:
    stop = threading.Event()
    many = TEXTS * 25

    def ask(_: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        with httpx.Client(base_url=address, timeout=60) as client:
            while not stop.is_set():
                single = client.post(PREDICT, json={"text": TEXTS[0]})
                assert single.status_code == 200, single.text
                seen[version_of([single.json()], TEXTS[:1], expected)] += 1
                batch = client.post("/v1/tasks/spam/batch_predict", json={"texts": many})
                assert batch.status_code == 200, batch.text
                seen[version_of(batch.json(), many, expected)] += 1
        return seen

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask, number) for number in range(CLIENTS)]
        try:
            for number in ("2", "1") * 10:
                mover.put_alias(number)
                done = refresh(address)["tasks"]["spam"]
                assert (done["version"], done["before"]) == (number, {"1": "2", "2": "1"}[number])
                assert httpx.post(address + PREDICT, json={"text": TEXTS[0]}).json()["version"] == number
        finally:
            stop.set()
        seen = sum((each.result() for each in asking), Counter())
    assert set(seen) == {"1", "2"}


def test_a_refresh_is_in_the_audit_log(address: str, mover: Mover) -> None:
    refresh(address)
    entry = AuditLog(Database(mover.settings.people)).entries()[-1]
    assert (entry.who, entry.action, entry.kind) == ("anonymous@127.0.0.1", "refreshed", "service")
    assert (entry.model, entry.seat) == ("", "")
    assert AuditLog(Database(mover.settings.people)).verify().faults == ()


def test_a_version_is_pinned_by_its_number(address: str, mover: Mover, expected: dict[str, Any]) -> None:
    for number in ("1", "2"):
        path = f"{address}/v1/tasks/spam/versions/{number}/batch_predict"
        answer = httpx.post(path, json={"texts": TEXTS}).json()
        assert version_of(answer, TEXTS, expected) == number
    assert httpx.post(f"{address}/v1/tasks/spam/versions/3/predict", json={"text": "x"}).status_code == 404
    (mover.settings.home / "mlflow.db").unlink()
    assert httpx.post(f"{address}/v1/tasks/spam/versions/2/predict", json={"text": "x"}).status_code == 200
    assert httpx.post(f"{address}/v1/tasks/spam/versions/3/predict", json={"text": "x"}).status_code == 503


def test_a_refresh_without_the_registry_says_so_and_changes_nothing(address: str, mover: Mover) -> None:
    (mover.settings.home / "mlflow.db").unlink()
    answer = httpx.post(f"{address}/v1/admin/refresh")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "registry_unavailable")
    health = httpx.get(f"{address}/health").json()
    assert (health["status"], health["tasks"]["spam"]["version"]) == ("degraded", "1")


def test_workers_hear_of_a_refresh_that_another_one_was_asked_for(mover: Mover, tmp_path: Path) -> None:
    settings, run = mover.settings.model_copy(update={"poll_seconds": 3600.0}), RunFolder(tmp_path / "run")
    run.path.mkdir()
    # Each its own counts: what the workers share here is the bell.
    with running(_alone(settings, run)) as one, running(_alone(settings, run)) as other:
        mover.put_alias("2")
        assert refresh(one)["tasks"]["spam"]["version"] == "2"
        assert _eventually(lambda: httpx.get(f"{other}/health").json()["tasks"]["spam"]["version"] == "2")


def test_a_service_process_follows(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(mover.settings.home))
    monkeypatch.setenv("ASSAY_POLL_SECONDS", "0.1")
    with serving() as (address, _):
        mover.put_alias("2")
        assert _eventually(
            lambda: httpx.post(address + PREDICT, json={"text": "free"}).json()["version"] == "2"
        )


def _alone(settings: Any, run: RunFolder) -> Any:
    class Unshared(RunFolder):
        @property
        def metrics(self) -> Any:
            return None

    return build_app(settings, run=Unshared(run.path))


def _eventually(condition: Callable[[], bool]) -> bool:
    return any(condition() or threading.Event().wait(0.05) for _ in range(400))


def test_every_worker_follows_when_one_is_told(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(mover.settings.home))
    monkeypatch.setenv("ASSAY_POLL_SECONDS", "3600")
    with serving("--workers", "2") as (address, process):
        read_until(process, "startup complete")
        mover.promote("2")
        assert refresh(address)["tasks"]["spam"]["version"] == "2"
        both = 'assay_served{task="spam",version="2"} 2.0'
        assert eventually(lambda: both in httpx.get(f"{address}/metrics").text)

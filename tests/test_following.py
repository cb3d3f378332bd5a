"""The service follows the alias, whatever the registry, the store and the disk do."""

import json
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest

from assay.bell import Bell
from assay.estimators import load_artifact
from assay.following import Following
from assay.opening import open_folder, open_served
from assay.registry import Version
from assay.service import Models, Served
from assay.settings import Settings
from assay.telemetry import Counters
from tests.moving import TEXTS, Mover, damage, scores_of
from tests.registry.proxies import proxy_before
from tests.servers import mlflow_server


class Service:
    """What follows a registry, without HTTP around it."""

    def __init__(self, settings: Settings, models: Models | None = None, bell: Path | None = None) -> None:
        self.models, self.metrics = models or Models(), Counters()
        opener = partial(open_served, settings)
        self.following = Following(self.models, settings, self.metrics, open_version=opener, bell=Bell(bell))
        self.following.begin()

    def refresh(self) -> str | None:
        """Have it look now."""
        return anyio.run(self.following.refresh)

    def version(self, task: str = "spam") -> str | None:
        """Return which version answers."""
        served = self.models.seat(task).served
        return served.version if served else None

    def reason(self, task: str = "spam") -> str:
        """Return why another version does not answer."""
        missing = self.models.seat(task).missing
        return missing.reason if missing else ""

    def scores(self) -> dict[str, float | None]:
        """Return what it scores each text."""
        decisions = self.models.get("spam").decide(TEXTS)
        return {text: decision.score for text, decision in zip(TEXTS, decisions, strict=True)}

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Look again and again beside the block."""
        stop = threading.Event()

        async def run() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(self.following.run)
                while not stop.is_set():
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()

        thread = threading.Thread(target=anyio.run, args=(run,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as a condition holds; False when it does not within 20 seconds."""
    return any(condition() or threading.Event().wait(0.02) for _ in range(1_000))


def test_a_promotion_is_followed_and_the_version_before_is_kept_ready(
    mover: Mover, spam_artifact: Path, other_artifact: Path
) -> None:
    service = Service(mover.settings)
    assert service.scores() == scores_of(spam_artifact)
    mover.promote("2")
    assert service.refresh() is None
    state = service.models.seat("spam").state()
    expected = ("2", "Production", "1", None, None)
    assert tuple(state[key] for key in ("version", "stage", "previous", "wanted", "reason")) == expected
    assert service.scores() == scores_of(other_artifact)
    assert service.version("sentiment") == "1"
    text = service.metrics.render().decode()
    assert 'assay_swaps_total{outcome="swapped",task="spam"} 2.0' in text
    assert 'assay_served{task="spam",version="2"} 1.0' in text


def test_a_promotion_is_found_by_polling(mover: Mover) -> None:
    service = Service(mover.settings)
    with service.polling():
        mover.promote("2")
        assert eventually(lambda: service.version() == "2")


def test_another_workers_bell_is_heard_long_before_the_next_poll(mover: Mover, tmp_path: Path) -> None:
    settings = mover.settings.model_copy(update={"poll_seconds": 3600.0})
    service = Service(settings, bell=tmp_path / "bell")
    with service.polling():
        mover.promote("2")
        Bell(tmp_path / "bell").ring()
        assert eventually(lambda: service.version() == "2")


def test_going_back_loads_nothing(mover: Mover, stocked: Path) -> None:
    service = Service(mover.settings)
    first = service.models.get("spam")
    mover.promote("2")
    service.refresh()
    weights = mover.weights("1")
    intact = damage(weights)
    try:
        mover.put_alias("1")
        service.refresh()
    finally:
        weights.write_bytes(intact)
    assert service.models.get("spam") is first
    assert (service.reason(), service.models.seat("spam").state()["previous"]) == ("", "2")


def test_a_damaged_version_is_refused_by_name_while_the_old_one_goes_on_until_it_is_repaired(
    mover: Mover, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(mover.settings)
    weights = mover.weights("2")
    intact = damage(weights)
    try:
        mover.put_alias("2")
        service.refresh()
        service.refresh()
        state = service.models.seat("spam").state()
        assert (state["version"], state["wanted"]) == ("1", "2")
        assert "model.safetensors is damaged" in state["reason"]
        assert caplog.text.count("Version 1 goes on answering for the task spam") == 1
    finally:
        weights.write_bytes(intact)
    with service.polling():
        assert eventually(lambda: service.version() == "2")
    assert service.reason() == ""
    assert 'outcome="refused",task="spam"} 2.0' in service.metrics.render().decode()


def test_a_refused_version_is_forgotten_when_the_alias_goes_back(mover: Mover) -> None:
    service = Service(mover.settings)
    weights = mover.weights("2")
    intact = damage(weights)
    try:
        mover.put_alias("2")
        service.refresh()
        mover.put_alias("1")
        service.refresh()
    finally:
        weights.write_bytes(intact)
    assert (service.version(), service.reason(), service.models.complete) == ("1", "", True)


class Spoiled(Models):
    """Models in which whatever comes to answer for spam after the first loses its weights on the way."""

    def serve(self, served: Served) -> None:
        super().serve(served)
        if served.version == "2":
            coefficients = served.cascade.model.blocks[0].coef
            served.cascade.model.blocks[0].coef = coefficients * -1


def test_a_version_that_fails_its_golden_decisions_once_it_answers_is_taken_back(mover: Mover) -> None:
    service = Service(mover.settings, Spoiled())
    first = service.models.get("spam")
    mover.promote("2")
    service.refresh()
    assert service.models.get("spam") is first
    assert "the recorded decision is" in service.reason()
    assert 'outcome="went back",task="spam"} 1.0' in service.metrics.render().decode()


def test_a_version_that_spoiled_while_it_was_kept_ready_is_loaded_afresh(mover: Mover) -> None:
    service = Service(mover.settings)
    mover.promote("2")
    service.refresh()
    previous = service.models.seat("spam").previous
    assert previous is not None
    block = previous.cascade.model.blocks[0]
    block.coef = block.coef * -1
    mover.put_alias("1")
    service.refresh()
    assert (service.version(), service.reason()) == ("1", "")
    assert service.models.get("spam") is not previous.cascade


def test_a_version_that_was_rolled_back_while_it_loaded_never_answers(mover: Mover) -> None:
    service = Service(mover.settings)
    loading, go_on = threading.Event(), threading.Event()
    opener = service.following._swapping._open

    def slow(version: Version) -> Served:
        loading.set()
        go_on.wait(20)
        return opener(version)

    service.following._swapping._open = slow
    seen: list[str | None] = []
    with service.polling():
        mover.put_alias("2")
        assert loading.wait(20)
        mover.put_alias("1")
        assert eventually(lambda: service.following._swapping._wanted["spam"].number == "1")
        go_on.set()
        assert eventually(lambda: not service.following._loading)
        seen.append(service.version())
    assert seen == ["1"]
    assert 'outcome="swapped",task="spam"} 1.0' in service.metrics.render().decode()


def test_a_version_that_takes_for_ever_holds_up_no_other_task(mover: Mover) -> None:
    service = Service(mover.settings)
    go_on = threading.Event()
    opener = service.following._swapping._open

    def slow(version: Version) -> Served:
        if version.task == "spam":
            go_on.wait(60)
        return opener(version)

    service.following._swapping._open = slow
    mover.put_alias("2")
    mover.remove_alias("SentimentClassifier")
    with service.polling():
        assert eventually(lambda: bool(service.following._loading))
        assert eventually(lambda: "has the alias 'production' any more" in service.reason("sentiment"))
        mover.put_alias("1", "SentimentClassifier")
        assert eventually(lambda: service.reason("sentiment") == "")
        assert service.version() == "1"
        go_on.set()
        assert eventually(lambda: service.version() == "2")


def test_a_task_whose_alias_is_removed_goes_on_and_says_so(mover: Mover) -> None:
    service = Service(mover.settings)
    mover.remove_alias()
    service.refresh()
    assert service.version() == "1"
    assert "No version of 'SpamClassifier' has the alias 'production' any more" in service.reason()
    assert (service.version("sentiment"), service.reason("sentiment")) == ("1", "")
    assert Service(mover.settings).version() is None


def test_a_task_that_is_new_appears(mover: Mover, abuse_artifact: Path) -> None:
    service = Service(mover.settings)
    number = mover.register(abuse_artifact)
    service.refresh()
    assert service.version("abuse") is None
    mover.promote(number, "AbuseClassifier")
    service.refresh()
    assert service.version("abuse") == number


def test_two_models_in_production_for_one_task_do_not_take_turns(mover: Mover, stocked: Path) -> None:
    with mover.registry._client.session() as mlflow:
        mlflow.create_registered_model("AnotherSpamModel")
        first = mlflow.get_model_version("SpamClassifier", "2")
        mlflow.create_model_version("AnotherSpamModel", first.source, tags=dict(first.tags))
        mlflow.set_registered_model_alias("AnotherSpamModel", "production", "1")
    service = Service(mover.settings)
    before = service.models.get("spam")
    service.refresh()
    assert service.models.get("spam") is before


def test_without_its_registry_what_answered_last_is_served_again(mover: Mover, other_artifact: Path) -> None:
    service = Service(mover.settings)
    mover.promote("2")
    service.refresh()
    (mover.settings.home / "mlflow.db").unlink()
    again = Service(mover.settings)
    assert again.scores() == scores_of(other_artifact)
    assert "There is no registry" in str(again.following.state()["reason"])


def test_a_start_with_a_damaged_version_serves_the_one_that_answered_last(
    mover: Mover, spam_artifact: Path
) -> None:
    Service(mover.settings)
    weights = mover.weights("2")
    intact = damage(weights)
    try:
        mover.put_alias("2")
        service = Service(mover.settings)
    finally:
        weights.write_bytes(intact)
    assert service.scores() == scores_of(spam_artifact)
    assert "model.safetensors is damaged" in service.reason()
    service.refresh()
    assert (service.version(), service.reason()) == ("2", "")


@pytest.mark.parametrize("change", ["cut off", "written over", "removed"])
def test_what_is_done_to_the_files_of_the_running_version_does_not_reach_it(
    change: str, mover: Mover, spam_artifact: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    shutil.copytree(spam_artifact, folder)
    served = open_folder(folder)
    path = folder / "model.safetensors"
    if change == "cut off":
        with path.open("r+b") as file:
            file.truncate(0)
    elif change == "written over":
        path.write_bytes(b"\xff" * path.stat().st_size)
    else:
        shutil.rmtree(folder)
    assert [each.score for each in served.cascade.decide(TEXTS)] == [
        each.score for each in load_artifact(spam_artifact).decide(TEXTS)
    ]


class Nonsense(ThreadingHTTPServer):
    """A registry that answers every question with the same bytes."""

    def __init__(self, body: bytes, kind: str, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Babbling)
        self.body, self.kind, self.status = body, kind, status


class Babbling(BaseHTTPRequestHandler):
    """One connection of it."""

    server: Nonsense

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


BABBLE = {
    "no JSON": (b"{", "application/json", 200),
    "a page": (b"<html>", "text/html", 200),
    "another shape": (b'{"registered_models": [{}, 7]}', "application/json", 200),
    "a list": (b"[1]", "application/json", 200),
    "bytes": (b"\xff\xfe\x00", "application/octet-stream", 200),
    "a fault": (b"broken", "text/plain", 500),
    "a version without tags": (
        b'{"registered_models": [{"name": "x", "aliases": [{"alias": "production", "version": "1"}]}]}',
        "application/json",
        200,
    ),
}


@pytest.mark.parametrize(("body", "kind", "status"), BABBLE.values(), ids=BABBLE.keys())
def test_a_registry_that_talks_nonsense_changes_nothing(
    body: bytes, kind: str, status: int, mover: Mover, spam_artifact: Path
) -> None:
    service = Service(mover.settings)
    with Nonsense(body, kind, status) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        service.following._settings = mover.settings.model_copy(update={"tracking_uri": uri})
        reason = service.refresh()
        server.shutdown()
    assert reason is not None
    assert service.following.state()["reason"] == reason
    assert (service.version(), service.reason()) == ("1", "")
    assert service.scores() == scores_of(spam_artifact)
    assert 'assay_degraded{part="registry"} 1.0' in service.metrics.render().decode()
    service.following._settings = mover.settings
    assert service.refresh() is None
    assert service.following.state()["reason"] is None


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tracking server that has no versions but those of this file."""
    with mlflow_server(tmp_path_factory.mktemp("own")) as uri:
        yield uri


@pytest.fixture(scope="module")
def remote(
    own_server: str, tmp_path_factory: pytest.TempPathFactory, spam_artifact: Path, other_artifact: Path
) -> Settings:
    """Settings of a server that has spam in two versions."""
    settings = Settings(home=tmp_path_factory.mktemp("remote"), tracking_uri=own_server, poll_seconds=0.05)
    mover = Mover(settings)
    for artifact in (spam_artifact, other_artifact):
        mover.register(artifact)
    return settings


@pytest.fixture
def elsewhere(remote: Settings, tmp_path: Path) -> Mover:
    """The server with the first version in production, and an empty cache."""
    Mover(remote).put_alias("1")
    return Mover(remote.model_copy(update={"home": tmp_path / "machine"}))


def test_a_version_of_a_server_is_downloaded_and_followed(
    elsewhere: Mover, spam_artifact: Path, other_artifact: Path
) -> None:
    service = Service(elsewhere.settings)
    assert service.scores() == scores_of(spam_artifact)
    elsewhere.put_alias("2")
    assert service.refresh() is None
    assert service.scores() == scores_of(other_artifact)


def test_a_cache_that_is_gone_is_made_again(elsewhere: Mover, other_artifact: Path) -> None:
    service = Service(elsewhere.settings)
    shutil.rmtree(elsewhere.settings.cache)
    assert service.refresh() is None
    elsewhere.put_alias("2")
    service.refresh()
    assert service.scores() == scores_of(other_artifact)


def test_a_cache_that_cannot_be_written_refuses_the_new_version_only(
    elsewhere: Mover, spam_artifact: Path
) -> None:
    service = Service(elsewhere.settings)
    shutil.rmtree(elsewhere.settings.cache)
    elsewhere.settings.cache.write_text("in the way")
    elsewhere.put_alias("2")
    service.refresh()
    assert "could not be kept in" in service.reason()
    assert service.scores() == scores_of(spam_artifact)
    elsewhere.settings.cache.unlink()
    service.refresh()
    assert service.version() == "2"


def test_a_disk_that_is_full_refuses_the_new_version_only(elsewhere: Mover, spam_artifact: Path) -> None:
    service = Service(elsewhere.settings)
    elsewhere.put_alias("2")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        service.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "could not be kept in" in service.reason()
    assert service.scores() == scores_of(spam_artifact)
    service.refresh()
    assert service.version() == "2"


@pytest.mark.parametrize("fault", ["cut", "stall", "500", "lie"])
def test_a_server_that_fails_at_a_download_refuses_the_new_version_only(
    fault: str, elsewhere: Mover, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.following.REFRESH_SECONDS", 2.0)
    service = Service(elsewhere.settings)
    with proxy_before(elsewhere.settings.tracking_uri) as proxy:
        through = elsewhere.settings.model_copy(update={"tracking_uri": proxy.uri})
        service.following._settings = through
        service.following._swapping._open = partial(open_served, through)
        elsewhere.put_alias("2")
        proxy.arm(fault, 4)  # type: ignore[arg-type]
        reason = service.refresh()
        assert [each for each in proxy.seen if "get-artifact" in each]
        assert service.scores() == scores_of(spam_artifact)
        assert service.reason() or "goes on" in str(reason)
        proxy.patience.set()
        assert eventually(lambda: not service.following._loading)
        assert eventually(lambda: service.refresh() is None and service.version() == "2")


def test_a_server_that_hangs_is_told_of_and_is_followed_again_when_it_is_back(
    elsewhere: Mover, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.following.SLOW_SECONDS", 0.2)
    service = Service(elsewhere.settings)
    with proxy_before(elsewhere.settings.tracking_uri) as proxy:
        service.following._settings = elsewhere.settings.model_copy(update={"tracking_uri": proxy.uri})
        proxy.arm("stall", 1)
        with service.polling():
            assert eventually(lambda: "has not answered for" in str(service.following.state()["reason"]))
            assert service.scores() == scores_of(spam_artifact)
            proxy.patience.set()
            elsewhere.put_alias("2")
            assert eventually(lambda: service.version() == "2")
            assert eventually(lambda: service.following.state()["reason"] is None)


def test_a_registry_that_is_killed_is_followed_again_when_it_is_back(
    tmp_path: Path, spam_artifact: Path, other_artifact: Path, mover: Mover
) -> None:
    service = Service(mover.settings)
    database = mover.settings.home / "mlflow.db"
    kept = database.read_bytes()
    with service.polling():
        for wreck in (b"", b"not a database" * 100, kept[: len(kept) // 2]):
            database.write_bytes(wreck)
            assert eventually(lambda: service.following.state()["reason"] is not None)
            assert (service.version(), service.reason()) == ("1", "")
            database.write_bytes(kept)
            assert eventually(lambda: service.following.state()["reason"] is None)
        mover.put_alias("2")
        assert eventually(lambda: service.version() == "2")


def test_what_is_remembered_is_read_only_where_it_is_whole(mover: Mover) -> None:
    Service(mover.settings)
    [path] = mover.settings.cache.glob("serving-*.json")
    assert {entry["task"] for entry in json.loads(path.read_text())} == {"spam", "sentiment"}
    (mover.settings.home / "mlflow.db").unlink()
    for garbage in (b"", b"{", b"[1]", b'[{"task": "spam"}]', b"\xff", b'{"a": 1}', b"[" * 100_000):
        path.write_bytes(garbage)
        assert Service(mover.settings).models.served == {}


def test_refused_versions_are_tried_again_after_growing_pauses(mover: Mover) -> None:
    service = Service(mover.settings)
    swapping, now = service.following._swapping, [0.0]
    swapping._clock, swapping._pause = (lambda: now[0]), 2.0
    version = swapping.running["spam"]
    weights = mover.weights("2")
    intact = damage(weights)
    try:
        mover.put_alias("2")
        pauses = []
        for _ in range(9):
            service.refresh()
            wanted = swapping._wanted["spam"]
            assert not swapping.may_load(wanted)
            start = now[0]
            while not swapping.may_load(wanted):
                now[0] += 0.5
            pauses.append(now[0] - start)
    finally:
        weights.write_bytes(intact)
    assert pauses == [4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert swapping.may_load(version)


def test_a_start_with_a_server_that_hangs_serves_what_answered_last(
    elsewhere: Mover, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_before(elsewhere.settings.tracking_uri) as proxy:
        settings = elsewhere.settings.model_copy(update={"tracking_uri": proxy.uri})
        Service(settings)
        proxy.arm("stall", 1)
        monkeypatch.setattr("assay.following.START_SECONDS", 0.2)
        monkeypatch.setattr("assay.following.SLOW_SECONDS", 0.1)
        again = Service(settings)
        assert again.scores() == scores_of(spam_artifact)
        assert "has not answered for" in str(again.following.state()["reason"])
        proxy.patience.set()
        assert eventually(lambda: again.following.state()["reason"] is not None)
        assert eventually(lambda: again.refresh() is None)

"""The service follows the alias: promotion, rollback, what is refused and what goes back."""

import ctypes
import shutil
import threading
import time
from functools import partial
from pathlib import Path

import anyio
import pytest

from assay.estimators import Cascade, load_artifact
from assay.registry import Version, find_production
from assay.service import Models, Served
from assay.serving.bell import Bell
from assay.serving.opening import open_folder, open_served
from assay.settings import Settings
from tests.moving import TEXTS, Mover, damage, scores_of
from tests.serving.follower import Service, eventually


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


def test_a_refresh_that_a_later_look_overtakes_waits_for_what_is_new(
    mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 1,000 swaps under load was told to be done while the version was still being loaded."""
    overtaken, loading = threading.Event(), threading.Event()
    asked = []

    def find(uri: str) -> list[Version]:
        found = find_production(uri)
        asked.append(uri)
        assert len(asked) > 1 or overtaken.wait(20)
        return found

    def load(settings: Settings, version: Version) -> Served:
        loading.set()
        time.sleep(0.3)
        return open_served(settings, version)

    service = Service(mover.settings)
    mover.promote("2")
    monkeypatch.setattr("assay.serving.following.find_production", find)
    monkeypatch.setattr(service.following._swapping, "_open", partial(load, mover.settings))

    async def overtake() -> None:
        while not asked:
            await anyio.sleep(0.01)
        async with anyio.create_task_group() as group:
            group.start_soon(service.following._look, False)
            while not loading.is_set():
                await anyio.sleep(0.01)
            overtaken.set()

    async def refresh() -> str | None:
        async with anyio.create_task_group() as group:
            group.start_soon(overtake)
            assert await service.following.refresh() is None
            return service.version()

    assert anyio.run(refresh) == "2"


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


def spoil(cascade: Cascade) -> None:
    """Turn the weights of a cascade around, in the memory where they are."""
    coef = cascade.model.blocks[0].coef
    turned = -coef
    ctypes.memmove(coef.ctypes.data, turned.ctypes.data, coef.nbytes)


class Spoiled(Models):
    """Models in which whatever comes to answer for spam after the first loses its weights on the way."""

    def serve(self, served: Served) -> None:
        super().serve(served)
        if served.version == "2":
            spoil(served.cascade)


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
    spoil(previous.cascade)
    weights = mover.weights("1")
    intact = damage(weights)
    try:
        mover.put_alias("1")
        service.refresh()
    finally:
        weights.write_bytes(intact)
    # Not tried again: nothing but a new copy of its files may answer.
    assert (service.version(), service.models.seat("spam").previous) == ("2", None)
    assert "model.safetensors is damaged" in service.reason()
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

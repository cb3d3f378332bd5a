"""What watches the decisions of a service, as the settings connect it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay import watching
from assay.database import Database
from assay.estimators import load_artifact
from assay.service import Decided, Exchange, Models, Served
from assay.settings import Settings
from assay.telemetry import Counters, Feedback
from assay.telemetry.feedback import watching as quality
from assay.watching import Watching, watch
from tests.live import usual, watched


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of the task spam with a profile."""
    return watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture
def served(artifact: Path) -> Models:
    """The artifact as version 3 of its task."""
    models = Models()
    models.serve(Served(cascade=load_artifact(artifact).at_version("3")))
    return models


def counters() -> Counters:
    """Return counts of a service in which version 3 answers."""
    metrics = Counters()
    metrics.serving("spam", "3")
    return metrics


def made(home: Path, models: Models, metrics: Counters, **settings: Any) -> Watching:
    """Return what watches under some settings."""
    chosen = Settings(home=home, **settings)
    return watch(chosen, models, metrics, Database(chosen.people), None)


def decided(models: Models, count: int) -> Decided:
    """Return decisions of the version that is served."""
    cascade, texts = models.get("spam"), usual(count)
    asked = Exchange(request_id="r-1", method="POST", path="/predict", route="/predict")
    return Decided(cascade=cascade, texts=texts, decisions=cascade.decide(texts), exchange=asked)


def soon(found: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_all_of_it_can_be_switched_off(tmp_path: Path, served: Models) -> None:
    nothing = made(tmp_path / "home", served, counters(), decision_log=False, drift=False)
    assert nothing == Watching()
    assert nothing.sections() == {}
    with nothing.running():
        pass
    assert not (tmp_path / "home").exists()


def test_without_a_log_drift_is_watched_and_nothing_written(tmp_path: Path, served: Models) -> None:
    metrics = counters()
    found = made(tmp_path / "home", served, metrics, decision_log=False)
    assert found.log is not None
    assert found.quality is None
    with found.running():
        found.log.write(decided(served, 1_200))
    told = found.sections()["drift"]()["spam"]
    assert (told["version"], told["decisions"], told["reason"]) == ("3", 1_200, None)
    assert told["statistics"]["label"]["alarm_since"] is None
    assert 'assay_drift_decisions{task="spam",version="3"} 1200.0' in metrics.render().decode()
    assert found.sections()["decision_log"]()["folder"] is None
    assert not (tmp_path / "home").exists()


def test_without_drift_decisions_are_logged(tmp_path: Path, served: Models) -> None:
    found = made(tmp_path / "home", served, counters(), drift=False)
    assert found.log is not None
    with found.running():
        found.log.write(decided(served, 30))
    assert list(found.sections()) == ["decision_log"]
    assert found.sections()["decision_log"]()["written"] == 30
    lines = (tmp_path / "home" / "logs" / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == 30
    assert any('"unknown":' in line for line in lines)


def test_labels_become_live_quality(tmp_path: Path, served: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "ROUND_SECONDS", 0.05)
    metrics = counters()
    found, sent = made(tmp_path / "home", served, metrics), decided(served, 40)
    assert found.log is not None
    feedback = Feedback(Database(Settings(home=tmp_path / "home").people))
    for decision in sent.decisions[:20]:
        feedback.keep(decision.id, decision.label, key="ann", task="spam")
    with found.running():
        found.log.write(sent)
        soon(lambda: 'assay_live_quality_labels{task="spam",version="3"} 20.0' in metrics.render().decode())
    text = metrics.render().decode()
    estimate = next(line for line in text.splitlines() if 'bound="estimate",metric="precision"' in line)
    assert 0.5 < float(estimate.split()[-1]) <= 1.0


def test_the_profile_is_that_of_the_version_that_decided(artifact: Path, served: Models) -> None:
    find = watching.profiles_of(served)
    older = served.get("spam").profile
    assert find("spam", "3") is older
    assert find("spam", "4") is None
    assert find("other", "3") is None
    served.serve(Served(cascade=load_artifact(artifact).at_version("4")))
    assert find("spam", "3") is older
    assert find("spam", "4") is served.get("spam").profile

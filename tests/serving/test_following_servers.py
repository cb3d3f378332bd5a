"""The service follows an MLflow server, whatever the server, the network and the cache do."""

import resource
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from assay.serving.opening import open_served
from assay.settings import Settings
from tests.moving import Mover, scores_of
from tests.registry.proxies import proxy_before
from tests.servers import mlflow_server
from tests.serving.follower import Service, eventually


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
    monkeypatch.setattr("assay.serving.following.REFRESH_SECONDS", 2.0)
    service = Service(elsewhere.settings)
    with proxy_before(elsewhere.settings.tracking_uri) as proxy:
        through = elsewhere.settings.model_copy(update={"tracking_uri": proxy.uri})
        service.following._settings = through
        service.following._swapping._open = partial(open_served, through)
        elsewhere.put_alias("2")
        proxy.arm(fault, 4)  # type: ignore[arg-type]
        reason = service.refresh()
        # On a busy machine it may have given up before it came so far.
        assert eventually(lambda: any("get-artifact" in each for each in proxy.seen))
        assert service.scores() == scores_of(spam_artifact)
        assert service.reason() or "goes on" in str(reason)
        proxy.patience.set()
        assert eventually(lambda: not service.following._loading)
        assert eventually(lambda: service.refresh() is None and service.version() == "2")


def test_a_server_that_hangs_is_told_of_and_is_followed_again_when_it_is_back(
    elsewhere: Mover, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.serving.following.SLOW_SECONDS", 0.2)
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


def test_a_start_with_a_server_that_hangs_serves_what_answered_last(
    elsewhere: Mover, spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy_before(elsewhere.settings.tracking_uri) as proxy:
        settings = elsewhere.settings.model_copy(update={"tracking_uri": proxy.uri})
        Service(settings)
        proxy.arm("stall", 1)
        monkeypatch.setattr("assay.serving.following.START_SECONDS", 0.2)
        monkeypatch.setattr("assay.serving.following.SLOW_SECONDS", 0.1)
        again = Service(settings)
        assert again.scores() == scores_of(spam_artifact)
        assert "has not answered for" in str(again.following.state()["reason"])
        proxy.patience.set()
        assert eventually(lambda: again.following.state()["reason"] is not None)
        assert eventually(lambda: again.refresh() is None)

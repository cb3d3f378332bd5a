"""A bucket keeps what a folder keeps; its lock ends by itself. On obstore's own store in memory."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.backup import bucket as module
from assay.backup import checking, making, open_store, restoring
from assay.backup.bucket import Bucket
from assay.backup.manifest import backups_in
from assay.exceptions import BackupError, MissingExtra
from assay.settings import Settings
from tests.backup.conftest import bring_back, decided, keep
from tests.moving import Mover


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket that every command of the test means."""
    one = Bucket("memory:///")
    for command in (making, checking, restoring):
        monkeypatch.setattr(command, "open_store", lambda _: one)
    return one


def test_a_backup_goes_through_a_bucket(settings: Settings, bucket: Bucket, fresh: Settings) -> None:
    before = decided(settings)
    first = keep(settings, "s3://x")
    assert keep(settings, "s3://x").copied == 0
    assert list(checking.check_backup("s3://x"))
    bring_back(fresh, "s3://x")
    assert decided(fresh) == before
    Mover(settings).promote("2")
    last = keep(settings, "s3://x", keep=1).manifest
    assert backups_in(bucket) == [last.name]
    assert set(bucket.sizes("objects/")) == {
        f"objects/{each.sha256[:2]}/{each.sha256}" for each in last.files
    }
    assert first.manifest.file("registry").sha256 != last.file("registry").sha256


def test_a_bucket_names_what_is_missing(bucket: Bucket) -> None:
    with pytest.raises(BackupError, match=r"memory:.*/objects/x is missing"):
        list(bucket.read("objects/x"))
    bucket.remove(["objects/x"])


def test_what_is_gone_already_is_no_fault(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise FileNotFoundError("NoSuchKey")

    monkeypatch.setattr(bucket._client, "delete", gone)
    bucket.remove(["objects/x", "objects/y"])


def test_one_backup_at_a_time_goes_into_a_bucket(bucket: Bucket) -> None:
    with bucket.locked() as renew:
        renew()
        with (
            pytest.raises(BackupError, match=r"is making a backup in .*if it has died, after"),
            bucket.locked(),
        ):
            pass
    with bucket.locked():
        pass
    assert bucket.sizes("") == {}


def test_the_lock_of_a_process_that_died_ends_by_itself(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.0)
    with bucket.locked() as renew_lost:
        # Its time is over at once: another one takes it.
        with bucket.locked() as renew:
            renew()
            with pytest.raises(BackupError, match="Another backup has begun"):
                renew_lost()
        assert bucket.sizes("") == {}


def test_a_bucket_that_cannot_be_reached_is_told_without_what_is_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://bucket/prefix")
    with pytest.raises(BackupError, match=r"s3://bucket/prefix cannot be reached: .*credentials") as error:
        store.write("x", io.BytesIO(b"x"))
    assert "hunter2" not in error.value.message


def test_a_bucket_that_there_is_not_is_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("NoSuchBucket")

    monkeypatch.setattr(bucket._client, "put", missing)
    with pytest.raises(BackupError, match="cannot be reached: NoSuchBucket"), bucket.locked():
        pass


def test_an_uri_that_names_no_bucket_is_told() -> None:
    with pytest.raises(BackupError, match="cannot be reached"):
        open_store("s3://")


def test_a_bucket_without_its_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    for place, extra in (("s3://x", "s3"), ("gs://x", "gcs"), ("az://x", "azure")):
        with pytest.raises(MissingExtra, match=rf"assay\[{extra}\]"):
            open_store(place)
    other: Any = open_store(str(tmp_path))
    assert other.sizes("") == {}

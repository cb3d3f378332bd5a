"""Files without names, and disks without room."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.exceptions import RequestRefused
from assay.service import Models, create_app
from assay.service.files.spool import Spool
from assay.telemetry import Counters


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, like a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def open_files() -> set[str]:
    """Return what this process has open."""
    return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()}


def test_a_file_has_no_name_and_only_its_owner_may_enter_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "spool"
    with (spool := Spool(folder)).open() as file:
        spool.write(file, b"abc" * 100_000)
        file.seek(0)
        assert file.read(6) == b"abcabc"
        assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in ("upload-old", "upload-new", "mine.csv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "upload-folder").mkdir()
    for name in ("upload-old", "mine.csv", "upload-folder"):
        os.utime(tmp_path / name, (time.time() - 3_600,) * 2)
    create_app(Models(), metrics=Counters(), spool=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"upload-new", "mine.csv", "upload-folder"}


def test_a_folder_that_is_not_there_yet_has_nothing_to_sweep(tmp_path: Path) -> None:
    Spool(tmp_path / "none").sweep()
    assert not (tmp_path / "none").exists()


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.open() as file, files_up_to(10_000), pytest.raises(RequestRefused, match="no room") as caught:
        spool.write(file, bytes(10_001))
    assert caught.value.data["status"] == 507


def test_a_folder_that_cannot_be_had_is_told_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RequestRefused, match="cannot keep files at present") as caught:
        Spool(tmp_path / "file" / "spool").open()
    assert caught.value.data["status"] == 503
    assert str(tmp_path) not in caught.value.message
    assert str(tmp_path) in caplog.text


def test_a_disk_that_fills_up_leaves_nothing_behind_and_the_next_file_is_scored(
    models: Models, tmp_path: Path
) -> None:
    client = TestClient(create_app(models, metrics=Counters(), spool=tmp_path))
    content = b"text\n" + b"lunch tomorrow\n" * 100_000
    before = open_files()
    for _ in range(6):
        with files_up_to(500_000):
            answer = client.post("/batch", files={"file": ("x.csv", content)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no_room")
    assert list(tmp_path.iterdir()) == []
    assert not [each for each in open_files() - before if str(tmp_path) in each]
    assert client.post("/batch", files={"file": ("x.csv", b"text\nlunch\n")}).status_code == 200

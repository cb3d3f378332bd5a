"""Disks without room, files that may not be written, files that are no database."""

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from assay.database import Connection, Database
from assay.exceptions import DatabaseError
from tests.databases import add, fail, hold, insert, names, path_of, write

NOBODY = 65534
MANY = insert(*(f"b{number}" for number in range(100)), holder="x" * 1000)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, like a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def commit(connection: Connection, *, size: int) -> None:
    with files_up_to(size):
        connection.execute("COMMIT")


def few_pages(connection: Connection) -> None:
    connection.execute("PRAGMA max_page_count = 10")


def test_a_full_database_is_told_and_left_as_it_was(sqlite: str) -> None:
    add(Database(sqlite), "a")
    with pytest.raises(DatabaseError, match=r"full.*Nothing was changed. Make room"):
        write(Database(sqlite), few_pages, MANY)
    assert names(Database(sqlite)) == ["a"]


@pytest.mark.parametrize("room", [100, 4000])
def test_a_disk_without_room_is_told_and_the_database_left_as_it_was(sqlite: str, room: int) -> None:
    add(Database(sqlite), "a")
    size = path_of(sqlite).stat().st_size + room
    with pytest.raises(DatabaseError, match=r"Nothing was changed. Make room"):
        write(Database(sqlite), MANY, partial(commit, size=size))
    assert names(Database(sqlite)) == ["a"]
    add(Database(sqlite), "c")
    assert names(Database(sqlite)) == ["a", "c"]


def test_a_disk_without_room_for_a_new_database_is_told(sqlite: str) -> None:
    with files_up_to(0), pytest.raises(DatabaseError, match="Make room"):
        names(Database(sqlite))
    assert names(Database(sqlite)) == []


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Take the right to write to a folder and its files away; root gives up its rights meanwhile."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of this machine can enter."""
    folder = Path(tempfile.mkdtemp(prefix="assay-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_read_only_database_is_read_and_not_written(open_folder: Path) -> None:
    database = Database(f"sqlite:///{open_folder / 'assay.db'}")
    add(database, "a")
    with unwritable(open_folder):
        assert names(database) == ["a"]
        with pytest.raises(DatabaseError, match=r"readonly.*Make the file and its folder writable"):
            add(database, "b")
        with pytest.raises(DatabaseError, match=r"Permission denied.*writable"):
            hold(database, "a", fail)
        for name in ("new.db", "new/new.db"):
            with pytest.raises(DatabaseError, match="writable"):
                names(Database(f"sqlite:///{open_folder / name}"))
    assert names(database) == ["a"]


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="unable to open"):
        names(Database(f"sqlite:///{tmp_path}"))


@pytest.mark.parametrize("content", [b"name,label\n" * 200, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_told_and_left_alone(sqlite: str, content: bytes) -> None:
    path_of(sqlite).parent.mkdir()
    path_of(sqlite).write_bytes(content)
    with pytest.raises(DatabaseError, match=r"(not a database|malformed|corrupt).*backup"):
        names(Database(sqlite))
    assert path_of(sqlite).read_bytes() == content


def test_a_damaged_database_is_told(sqlite: str) -> None:
    add(Database(sqlite), "a")
    data = path_of(sqlite).read_bytes()
    path_of(sqlite).write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(DatabaseError, match="Restore the file from a backup"):
        names(Database(sqlite))

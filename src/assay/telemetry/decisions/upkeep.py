"""Closed files of the log replaced: by one process at a time, whole or not at all."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from assay.exceptions import LogError
from assay.telemetry.decisions.slots import HOUSE_LOCK

WAIT_SECONDS = 10.0
PAUSE_SECONDS = 0.1
DRAFT = ".upkeep-draft"


@contextmanager
def upkeep(folder: Path, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Be the only process that replaces closed files of a log, the service that keeps house included.

    What one before left half done is removed.

    Raises LogError when another one goes on for longer than ``wait`` seconds, or the folder cannot be
    written.
    """
    try:
        with (folder / HOUSE_LOCK).open("ab") as lock:
            _belong(lock.fileno(), folder.stat(), 0o660)
            _take(lock.fileno(), folder, time.monotonic() + wait)
            for draft in folder.glob(f".*{DRAFT}"):
                draft.unlink()
            yield
    except PermissionError as error:
        raise LogError(
            f"The decision log in {str(folder)!r} cannot be changed: {error.strerror}. Run this as the "
            "account of the service.",
            folder=folder,
        ) from error


def _take(descriptor: int, folder: Path, until: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LogError(
                    f"Another process is compacting, erasing or compressing in {str(folder)!r} right now. "
                    "Nothing was changed; try again when it is done.",
                    folder=folder,
                ) from None
            time.sleep(PAUSE_SECONDS)


@contextmanager
def drafted(path: Path, *, like: os.stat_result) -> Iterator[BinaryIO]:
    """Give a stream to a draft that takes the path's place when the block ends well, and is deleted else.

    When the block has ended, the file is on disk under its name, with the owner and rights of the file that
    ``like`` is of: what root rewrites, the service can still read.
    """
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        with draft.open("wb") as stream:
            _belong(stream.fileno(), like, like.st_mode & 0o777)
            yield cast(BinaryIO, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _belong(descriptor: int, model: os.stat_result, mode: int) -> None:
    # Only root may give a file away; whoever else runs this is the service's own account, or its group.
    with suppress(PermissionError):
        os.fchown(descriptor, model.st_uid, model.st_gid)
    with suppress(PermissionError):
        os.fchmod(descriptor, mode)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

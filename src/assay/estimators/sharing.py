"""One copy of a file for all processes of a service: in a folder of their own, mapped into each."""

import fcntl
import hashlib
import mmap
import os
import shutil
import stat
import uuid
import weakref
from contextlib import suppress
from pathlib import Path

from assay.estimators.manifest import check_digest, hash_file

ATTEMPTS = 5
"""How often a copy is looked for that others remove or replace meanwhile."""
CHUNK = 1 << 20


def map_shared(source: Path, folder: Path, digest: str) -> mmap.mmap:
    """Return the bytes of a file, mapped read-only from the copy that every process shares.

    The copy is named by ``digest``, its SHA-256 in hexadecimal digits, which is verified on the mapped
    bytes. Whoever comes first makes it; it appears whole, and only this account can open it. Each user
    holds a lock on it for as long as the mapping lives, so that the last one to let go removes it, and the
    next one to come what a killed process left. ``folder`` must be writable by nobody else.

    Raises ArtifactError when the file has another digest, OSError where no copy can be made.
    """
    sweep(folder)
    place = folder / digest
    for _ in range(ATTEMPTS):
        try:
            handle = _hold(place)
        except FileNotFoundError:
            _make(source, place)
            continue
        memory = mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
        if hashlib.sha256(memory).hexdigest() == digest:
            weakref.finalize(memory, _let_go, handle, place).atexit = False
            return memory
        memory.close()
        os.close(handle)
        place.unlink(missing_ok=True)
        # No version is refused for a bad copy of it: the next attempt makes another.
        check_digest(source, hash_file(source), digest)
    raise OSError(f"{place} cannot be shared: it goes whenever it was made")


def sweep(folder: Path) -> None:
    """Remove the copies of a folder that no process uses."""
    for place in folder.iterdir():
        with suppress(OSError):
            handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            _let_go(handle, place)


def _hold(place: Path) -> int:
    """Return an open file with a lock that says that it is used. Raises FileNotFoundError."""
    while True:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if os.fstat(handle).st_nlink:
            return handle
        # Its last user removed it between the two lines above.
        os.close(handle)


def _make(source: Path, place: Path) -> None:
    """Copy a file to its place, unless another process has done so meanwhile."""
    draft = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IRUSR)
    try:
        with source.open("rb") as file, os.fdopen(handle, "wb") as copy:
            # For those who remove what nobody uses.
            fcntl.flock(handle, fcntl.LOCK_SH)
            # A full disk says so here, and not when a page is written back that somebody has mapped.
            os.posix_fallocate(handle, 0, max(os.fstat(file.fileno()).st_size, 1))
            shutil.copyfileobj(file, copy, CHUNK)
            copy.flush()
            with suppress(FileExistsError):
                place.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def _let_go(handle: int, place: Path) -> None:
    """Close a copy's file, and remove it where nobody else uses it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if place.stat().st_ino == os.fstat(handle).st_ino:
            place.unlink()
    except OSError:
        pass  # others use it, or it is gone
    finally:
        os.close(handle)

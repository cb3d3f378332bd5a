"""Files into a place by their content: what is there already is not copied again."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from assay.backup.manifest import OBJECTS, Kept, Part, object_name
from assay.backup.store import READ_BYTES, Store
from assay.exceptions import BackupError

TRIES = 5
"""How often a file that changes while it is read is read again."""


class Keeper:
    """Keeps files of one backup; ``files`` are those that it has kept, ``copied`` the bytes that were new."""

    def __init__(self, store: Store, renew: Callable[[], None]) -> None:
        self.files: list[Kept] = []
        self.copied = 0
        self._store, self._renew = store, renew
        self._sizes = store.sizes(OBJECTS)

    def keep(self, path: str, what: Part, source: Path, size: int | None = None) -> Kept:
        """Keep a file, or the first ``size`` bytes of it. Raises BackupError, FileNotFoundError."""
        self._renew()
        digest, length = self._read(source, size, None)
        for _ in range(TRIES):
            if self._sizes.get(object_name(digest)) == length:
                kept = Kept(path=path, what=what, size=length, sha256=digest)
                self.files.append(kept)
                return kept
            digest, length = self._copy(source, size, digest)
        raise BackupError(f"{source} changed each time it was read. Try again.")

    def _copy(self, source: Path, size: int | None, expected: str) -> tuple[str, int]:
        """Keep the bytes of a file unless they have changed since; return their SHA-256 and length."""
        with _draft() as staged:
            digest, length = self._read(source, size, staged)
            if digest == expected:
                staged.seek(0)
                name = object_name(digest)
                self._store.write(name, staged)
                self._sizes[name] = length
                self.copied += length
        return digest, length

    def _read(self, source: Path, size: int | None, into: BinaryIO | None) -> tuple[str, int]:
        seen, length = hashlib.sha256(), 0
        try:
            with source.open("rb") as stream:
                while data := stream.read(READ_BYTES if size is None else min(READ_BYTES, size - length)):
                    seen.update(data)
                    length += len(data)
                    if into is not None:
                        into.write(data)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BackupError(
                f"{source} cannot be kept: {error.strerror or error}. This backup was not made; make room "
                "in the folder of temporary files (TMPDIR), or let this account read the file."
            ) from error
        return seen.hexdigest(), length


@contextmanager
def _draft() -> Iterator[BinaryIO]:
    # What is hashed is what is sent, whatever becomes of the file meanwhile.
    with TemporaryFile(prefix="assay-backup-") as file:
        yield file


def fetch(store: Store, kept: Kept, target: Path | None) -> None:
    """Read a file of a backup to its end, into ``target`` where one is given.

    Raises BackupError that names the object when its bytes are not those that were kept, OSError.
    """
    seen, length, name = hashlib.sha256(), 0, object_name(kept.sha256)
    stream = _opened(target)
    try:
        for data in store.read(name):
            seen.update(data)
            length += len(data)
            if stream is not None:
                stream.write(data)
    finally:
        if stream is not None:
            stream.close()
    if (seen.hexdigest(), length) != (kept.sha256, kept.size):
        raise BackupError(
            f"{store.shown}/{name}, which holds {kept.path}, is damaged: {length:,} of {kept.size:,} bytes, "
            f"and its SHA-256 begins with {seen.hexdigest()[:12]}. Take another backup (--backup NAME), or "
            "delete the object and make a backup where the file still is.",
            object=name,
            path=kept.path,
        )


def _opened(target: Path | None) -> BinaryIO | None:
    if target is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("wb")

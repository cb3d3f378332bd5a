"""Backups in a folder of this machine, or of a disk that is mounted here."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from assay.backup.store import READ_BYTES
from assay.exceptions import BackupError

LOCK = "lock"
DRAFT = ".draft-"


class Folder:
    """A folder that holds backups; see ``store.Store``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def shown(self) -> str:
        """The folder, for messages."""
        return str(self.path)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of each file below a folder of it, by name."""
        with self._faults("read"):
            return {
                path.relative_to(self.path).as_posix(): path.stat().st_size
                for path in (self.path / prefix).rglob("*")
                if path.is_file()
            }

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        with self._faults("read"):
            try:
                stream = (self.path / name).open("rb")
            except FileNotFoundError as error:
                raise BackupError(f"{self.path / name} is missing.", name=name) from error
            with stream:
                while data := stream.read(READ_BYTES):
                    yield data

    def write(self, name: str, source: BinaryIO) -> None:
        """Keep what a stream holds; it is on disk under its name when this returns."""
        path, draft = self.path / name, self.path / f"{DRAFT}{uuid.uuid4().hex}"
        with self._faults("written"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # What it holds of people is for this account alone, whatever the files' rights were.
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    shutil.copyfileobj(source, file, READ_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
                sync_folder(path.parent)
            finally:
                draft.unlink(missing_ok=True)

    def remove(self, names: list[str]) -> None:
        """Delete files and the folders that are empty then."""
        with self._faults("changed"):
            for path in (self.path / name for name in names):
                path.unlink(missing_ok=True)
                if path.parent.is_dir() and not any(path.parent.iterdir()):
                    path.parent.rmdir()

    @contextmanager
    def locked(self) -> Iterator[Callable[[], None]]:
        """Hold the folder's lock, which ends with its process; raises BackupError while another has it."""
        with self._faults("written"):
            self.path.mkdir(parents=True, exist_ok=True)
            with (self.path / LOCK).open("ab") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise BackupError(
                        f"Another backup is being made in {self.shown} right now; nothing was changed. "
                        "Try again when it is done."
                    ) from error
                for draft in self.path.glob(f"{DRAFT}*"):
                    draft.unlink()
                yield lambda: None

    @contextmanager
    def _faults(self, participle: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.path
            raise BackupError(
                f"The backups in {self.shown} cannot be {participle}: {where}: {error.strerror or error}. "
                "Backups that were whole before still are. Make room there, or check the rights of this "
                "account, then try again."
            ) from error


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The folder that the processes of one running service share."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "assay-run-"
LOCK = "running"
"""File that is locked for as long as any process of a run lives."""


@dataclass(frozen=True)
class RunFolder:
    """A folder that is there from before the first worker starts until after the last one ended.

    The process that starts the workers makes it and hands it to them; a service of one process has one too.
    Whatever is kept in it is lost when the service stops.
    """

    path: Path

    @property
    def metrics(self) -> Path:
        """Folder of Prometheus' files, a few a worker; those of a dead worker keep its counts."""
        return self.path / "metrics"

    @property
    def drift(self) -> Path:
        """Folder of what workers tell each other of drift; made when there is something to tell."""
        return self.path / "drift"

    @property
    def weights(self) -> Path:
        """Folder of the weights that several workers share."""
        return self.path / "weights"

    @property
    def refresh(self) -> Path:
        """File that is replaced when every worker is to ask the registry at once."""
        return self.path / "refresh"

    def stop(self, *, hurried: bool) -> None:
        """Say to the workers that the whole service stops, and not only one of them."""
        (self.path / "stopping").touch()
        if hurried:
            (self.path / "hurried").touch()

    @property
    def stops(self) -> bool:
        """True once the whole service stops."""
        return (self.path / "stopping").exists()

    @property
    def hurried(self) -> bool:
        """True once it stops without waiting for proxies to notice."""
        return (self.path / "hurried").exists()


@contextmanager
def run_folder() -> Iterator[RunFolder]:
    """Make the folder of one run, readable by this account alone, and remove it at the end.

    A service that is killed leaves its own behind; the next one to start removes it.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as path:
        run = RunFolder(Path(path))
        run.metrics.mkdir()
        run.weights.mkdir()
        with _running(run):
            yield run


@contextmanager
def _running(run: RunFolder) -> Iterator[None]:
    """Say that a run goes on, by a lock that this process and all that it forks hold until they end."""
    draft = run.path / f"{LOCK}.draft"
    with draft.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Under this name nobody finds it unlocked.
        draft.rename(run.path / LOCK)
        yield


def _sweep(folder: Path) -> None:
    """Remove the folders of this account's runs that no process goes on with."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = left.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            with (left / LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)

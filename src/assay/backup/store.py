"""Where backups are kept: what a folder and a bucket have in common."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from assay.exceptions import BackupError

READ_BYTES = 1 << 20
BUCKETS = ("s3", "gs", "az")
EXAMPLES = "a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"


class Store(Protocol):
    """A place of named files, each of which appears whole or not at all.

    Every method raises BackupError.
    """

    @property
    def shown(self) -> str:
        """The place, for messages."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of each file whose name begins with a folder."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""

    def write(self, name: str, source: BinaryIO) -> None:
        """Keep what a stream holds, over a file of the same name."""

    def remove(self, names: list[str]) -> None:
        """Delete files; one that is gone is no fault."""

    def locked(self) -> AbstractContextManager[Callable[[], None]]:
        """Be the only one who writes; the function that is handed out says that this goes on."""


def open_store(to: str) -> Store:
    """Return the place that a path or an URI names; a folder is made when it is written to.

    Raises BackupError for an URI of another kind, MissingExtra without the package for buckets.
    """
    scheme, found, _ = to.partition("://")
    if not found:
        from assay.backup.folder import Folder

        return Folder(Path(to))
    if scheme not in BUCKETS:
        raise BackupError(f"{to!r} is no place that backups are kept in. Name {EXAMPLES}.")
    from assay.backup.bucket import Bucket

    return Bucket(to)

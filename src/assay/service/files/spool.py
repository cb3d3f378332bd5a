"""The folder where uploaded files wait, and the files in it, which have no names."""

import errno
import logging
import os
import tempfile
import time
from io import FileIO
from pathlib import Path

from assay.exceptions import RequestRefused

logger = logging.getLogger(__name__)

PREFIX = "upload-"
STALE_SECONDS = 60.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Spool:
    """Gives files that are gone as soon as they are closed, even when the process is killed.

    Parameters
    ----------
    folder
        Where they lie; it is made with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sweep(self) -> None:
        """Remove what a process left that was killed between making a file and taking its name away."""
        for path in self.folder.glob(f"{PREFIX}*"):
            try:
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink()
            except OSError as error:
                logger.warning("%s could not be removed: %s", path, error.strerror)

    def open(self) -> FileIO:
        """Return a new file, to be written, then read.

        Raises RequestRefused with 507 or 503 when there is no room, or no such folder can be had.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return tempfile.TemporaryFile("w+b", 0, prefix=PREFIX, dir=self.folder)
        except OSError as error:
            raise self._refusal(error) from error

    def write(self, file: FileIO, data: bytes) -> None:
        """Write bytes.

        Raises RequestRefused with 507 when there is no room for them, with 503 when they cannot be written.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> RequestRefused:
        logger.error("No file can be kept in %s: %s", self.folder, error.strerror or error)
        if error.errno in NO_ROOM:
            message = "The service has no room left to keep the file. Send a smaller one, or try again later."
            return RequestRefused(message, status=507, code="no_room")
        message = (
            f"The service cannot keep files at present ({os.strerror(error.errno or 0)}); its log says more."
        )
        return RequestRefused(message, status=503, code="spool_unusable")

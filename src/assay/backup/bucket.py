"""Backups in an object store: S3 and what speaks like it, Google Cloud Storage, Azure."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO

from assay.backup.store import READ_BYTES
from assay.exceptions import BackupError, MissingExtra
from assay.notation import without_credentials

LOCK = "lock"
LEASE_SECONDS = 900.0
"""How long a lock of a process that died keeps others out; it is renewed long before, between two files."""
EXTRAS = {"s3": "s3", "gs": "gcs", "az": "azure"}


class Bucket:
    """A prefix of a bucket that holds backups; see ``store.Store``.

    Credentials and endpoints are those of the environment, as the providers' own tools read them.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        try:
            import obstore
        except ImportError as error:
            scheme = uri.partition(":")[0]
            raise MissingExtra(f"A backup in {scheme}://", package="obstore", extra=EXTRAS[scheme]) from error
        self._client: Any = obstore
        with self._faults():
            self._store: Any = obstore.store.from_url(uri)

    @property
    def shown(self) -> str:
        """The URI without credentials, for messages."""
        return without_credentials(self._uri)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of each object below a prefix, by name."""
        with self._faults():
            pages = self._client.list(self._store, prefix=prefix)
            return {each["path"]: each["size"] for page in pages for each in page}

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object."""
        with self._faults():
            try:
                found = self._client.get(self._store, name)
            except FileNotFoundError as error:
                raise BackupError(f"{self.shown}/{name} is missing.", name=name) from error
            for data in found.stream(min_chunk_size=READ_BYTES):
                yield bytes(data)

    def write(self, name: str, source: BinaryIO) -> None:
        """Keep what a stream holds; large ones go in parts, which become one object at their end."""
        with self._faults():
            self._client.put(self._store, name, source)

    def remove(self, names: list[str]) -> None:
        """Delete objects; one that is gone is no fault."""
        with self._faults():
            for name in names:
                try:
                    self._client.delete(self._store, name)
                except FileNotFoundError:
                    continue

    @contextmanager
    def locked(self) -> Iterator[Callable[[], None]]:
        """Hold a lease on the prefix; raises BackupError while another has it, or when it was lost.

        A process that dies leaves the lease behind, which ends LEASE_SECONDS after it was last renewed.
        """
        lease = _Lease(self._client, self._store, self.shown)
        with self._faults():
            lease.take()
        try:
            yield lambda: self._renew(lease)
        finally:
            with self._faults(), suppress(FileNotFoundError):
                lease.give_back()

    def _renew(self, lease: "_Lease") -> None:
        with self._faults():
            lease.renew()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            reason = " ".join(without_credentials(str(error)).split())[:300]
            raise BackupError(
                f"The backups in {self.shown} cannot be reached: {reason}. Backups that were whole before "
                "still are. Check the bucket's name, and that the environment holds credentials that may "
                "list, read, write and delete in it."
            ) from error


class _Lease:
    """An object that one process at a time may hold; its tag tells whether it still is the one written."""

    def __init__(self, client: Any, store: Any, shown: str) -> None:
        self._client, self._store, self._shown = client, store, shown
        self._holder = f"{socket.gethostname()} process {os.getpid()}"
        self._mark: Any = None
        self._renewed = 0.0

    def take(self) -> None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            self._put("create")
        except (AlreadyExistsError, PreconditionError):
            found = self._client.get(self._store, LOCK)
            held = json.loads(bytes(found.bytes()))
            if held["until"] > time.time():
                until = f"{datetime.fromtimestamp(held['until'], UTC):%H:%M:%S}"
                raise BackupError(
                    f"{held['holder']} is making a backup in {self._shown}; nothing was changed. Try again "
                    f"when it is done; if it has died, after {until} UTC."
                ) from None
            self._mark = found.meta
            self._put_over()

    def renew(self) -> None:
        if time.monotonic() - self._renewed > LEASE_SECONDS / 10:
            self._put_over()

    def give_back(self) -> None:
        found = self._client.head(self._store, LOCK)
        # One that was lost is another's.
        if found["e_tag"] == self._mark["e_tag"]:
            self._client.delete(self._store, LOCK)

    def _put_over(self) -> None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            # Which of the two a store has, and compares, differs.
            self._put({key: value for key in ("e_tag", "version") if (value := self._mark[key])})
        except (AlreadyExistsError, PreconditionError) as error:
            raise BackupError(
                f"Another backup has begun in {self._shown} meanwhile; this one was given up. Try again."
            ) from error

    def _put(self, mode: Any) -> None:
        lease = {"holder": self._holder, "until": time.time() + LEASE_SECONDS}
        self._mark = self._client.put(self._store, LOCK, json.dumps(lease).encode(), mode=mode)
        self._renewed = time.monotonic()

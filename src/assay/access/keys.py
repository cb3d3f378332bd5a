"""The keys as a worker knows them: in memory, read again every second."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from assay.access.callers import Caller
from assay.access.key import COLUMNS, Key, fits, id_in, key_of
from assay.database import Database
from assay.exceptions import AssayError, DatabaseError

logger = logging.getLogger(__name__)

READ_SECONDS = 1.0
"""Pause between two looks: a key that was revoked is refused within two seconds in every worker."""

STALE_SECONDS = 5.0
"""From when on keys that could not be read again are told of as old, though a look is still under way."""

SELECT = f"SELECT {COLUMNS} FROM keys WHERE revoked_at IS NULL"  # noqa: S608


class Look(NamedTuple):
    """What one look at the database found: the keys by id, and by the secrets that were found to fit since.

    A secret that fits is not hashed again before the next look, which begins anew.
    """

    keys: Mapping[str, Key]
    fitting: dict[str, Key]

    def key_of(self, secret: str) -> Key | None:
        """Return the key whose secret this is; None where there is none."""
        if (known := self.fitting.get(secret)) is not None:
            return known
        key = self.keys.get(id_in(secret) or "")
        if not fits(secret, key) or key is None:
            return None
        self.fitting[secret] = key
        return key


class Keys:
    """Knows who carries which key; an ``Authenticator``.

    When the database is gone, the keys of the last look stay in force, and ``fault`` says so. Until they
    could be read once, nobody can be told.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_fault: Callable[[str], None] = lambda _: None,
        pause: float = READ_SECONDS,
    ) -> None:
        """Keep the parts; nothing is read before ``start``. ``on_fault`` is told each new ``fault``."""
        self._database, self._clock, self._on_fault, self._pause = database, clock, on_fault, pause
        self._look: Look | None = None
        self._fault = "The keys were not read yet."
        self._read_at = time.monotonic()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> str:
        """Why the keys may be old; empty while they are not."""
        age = time.monotonic() - self._read_at
        if self._fault or age < self._pause + STALE_SECONDS:
            return self._fault
        return f"The keys could not be read for {age:.0f} seconds; those of the last look hold."

    @property
    def ready(self) -> bool:
        """Whether the keys could be read once."""
        return self._look is not None

    def start(self) -> None:
        """Read the keys once, then again and again in a thread until ``stop``."""
        self._stop.clear()
        self.read()
        self._thread = threading.Thread(target=self._run, name="assay-keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; one that waits for a silent database is left to itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self._pause)

    def identify(self, credential: str) -> Caller | None:
        """Return who carries a key; None for one that is unknown, revoked or expired."""
        if self._look is None:
            raise DatabaseError(f"Nobody's key can be checked: {self._fault}")
        key = self._look.key_of(credential)
        if key is None:
            return None
        ends = key.expires_at is not None or key.revoked_at is not None
        return None if ends and key.state(self._clock()) != "valid" else key.caller

    def read(self) -> None:
        """Look at the database once; a failure is told, and the keys known before stay."""
        try:
            with self._database.reading() as connection:
                rows = connection.execute(SELECT).fetchall()
        except AssayError as error:
            self._tell(error.message)
            return
        keys, damaged = _readable(rows)
        self._look = Look(keys, {})
        self._read_at = time.monotonic()
        names = ", ".join(damaged)
        self._tell(f"Keys that were changed past Assay are not accepted: {names}." if damaged else "")

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                self.read()
            except Exception:
                # The edge of a thread: should it end, a revoked key would stay in force.
                logger.exception("The keys could not be read")
                self._tell("The keys could not be read; the log of the service says why.")

    def _tell(self, fault: str) -> None:
        known, self._fault = self._fault, fault
        if fault != known:
            if fault:
                logger.warning("The keys of the last look stay in force: %s", fault)
            self._on_fault(fault)


def _readable(rows: Sequence[Sequence[Any]]) -> tuple[dict[str, Key], list[str]]:
    """Return the keys of rows by id, and the ids of rows that are none: those are nobody's."""
    keys, damaged = {}, []
    for row in rows:
        try:
            key = key_of(row)
        except ValueError:
            damaged.append(repr(row[0]))
        else:
            keys[key.id] = key
    return keys, damaged

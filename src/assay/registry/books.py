"""What a change of seats is written to: MLflow's store, the audit log, and the lock between processes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import LockHeld, PromotionRefused
from assay.registry.account import account
from assay.registry.store import Store

DECISION_SECONDS = 60
"""How long another gate decision about the same version is waited for: it took longer to make."""


@dataclass(frozen=True)
class Books:
    """The store, the database of the locks, the log in it, and the folder of fetched versions."""

    store: Store
    database: Database
    audit: AuditLog
    cache: Path

    @contextmanager
    def held(self, model: str, who: str) -> Iterator[None]:
        """Hold the lock of a model's seats; raises PromotionRefused, naming the holder, when it is taken."""
        try:
            with self.database.lock(f"promotion:{model}", holder=who):
                yield
        except LockHeld as error:
            holder, since = error.data["holder"], error.data["since"]
            raise PromotionRefused(
                f"{holder} is changing who serves of {model!r} since {since}; nothing was changed. "
                "Try again when that is done.",
                stale=False,
                **error.data,
            ) from error

    @contextmanager
    def deciding(self, model: str, number: str) -> Iterator[None]:
        """Hold the lock of a version's gate decision, waiting for who writes another; raises LockHeld."""
        deadline, name = time.monotonic() + DECISION_SECONDS, f"gate:{model} version {number}"
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(self.database.lock(name, holder=account()))
                    break
                except LockHeld:
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(0.1)
            yield

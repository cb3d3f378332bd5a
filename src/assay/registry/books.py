"""What a change of seats is written to: MLflow's store, the audit log, and the lock between processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import LockHeld, PromotionRefused
from assay.registry.store import Store


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

"""What people say of decisions, kept in the people's database."""

from collections.abc import Callable
from datetime import UTC, datetime

from assay.database import Database


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


class Feedback:
    """The table ``feedback``: which label a key says a decision should have had.

    One row a decision, key and label. A key that changes its mind leaves a row for each label, of which
    the newest counts; said again, a label only gets a newer time, so that sending twice harms nothing.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database, self._now = database, now

    def keep(self, decision: str, label: str, *, key: str, task: str) -> None:
        """Keep what a key says of a decision; when this returns, it is on disk. Raises DatabaseError.

        ``task`` is empty where the caller named none.
        """
        at = self._now().isoformat(timespec="microseconds")
        with self._database.writing() as connection:
            connection.execute(
                'INSERT INTO feedback (decision, label, "key", task, at) VALUES (%s, %s, %s, %s, %s) '
                'ON CONFLICT (decision, "key", label) DO UPDATE SET at = excluded.at, '
                "task = CASE WHEN excluded.task = '' THEN feedback.task ELSE excluded.task END",
                (decision, label, key, task, at),
            )

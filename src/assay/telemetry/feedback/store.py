"""What people say of decisions, kept in the people's database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assay.database import Database
from assay.exceptions import DatabaseError

NEWEST = (
    'SELECT label, at FROM feedback WHERE decision = %s AND "key" = %s ORDER BY at DESC, label DESC LIMIT 1'
)
KEEP = (
    'INSERT INTO feedback (decision, label, "key", task, at, reviewer) VALUES (%s, %s, %s, %s, %s, %s) '
    'ON CONFLICT (decision, "key", label) DO UPDATE SET at = excluded.at, reviewer = excluded.reviewer, '
    "task = CASE WHEN excluded.task = '' THEN feedback.task ELSE excluded.task END"
)


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def stamp(moment: float | datetime) -> str:
    """Return a moment as the tables write it, so that the order of texts is that of time."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.isoformat(timespec="microseconds")


class Feedback:
    """The table ``feedback``: which label a key says a decision should have had.

    One row a decision, key and label. A key that changes its mind leaves a row for each label, of which
    the newest counts; said again, a label only gets a newer time, so that sending twice harms nothing.

    Parameters
    ----------
    told
        Told the task and the outcome of each feedback: ``new``, ``again``, ``changed`` (the key said another
        label before) or ``failed``.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = utc_now,
        told: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._database, self._now, self._told = database, now, told

    def keep(self, decision: str, label: str, *, key: str, task: str, reviewer: bool = True) -> None:
        """Keep what a key says of a decision; when this returns, it is on disk. Raises DatabaseError.

        ``task`` is empty where the caller named none. A ``reviewer`` may speak of decisions that somebody
        else asked for.
        """
        try:
            outcome = self._keep(decision, label, key, task, reviewer)
        except DatabaseError:
            self._told(task, "failed")
            raise
        self._told(task, outcome)

    def _keep(self, decision: str, label: str, key: str, task: str, reviewer: bool) -> str:
        with self._database.writing() as connection:
            found = connection.execute(NEWEST, (decision, key)).fetchall()
            at = self._now()
            if found:
                # What is said last counts, also when the clock went back meanwhile.
                at = max(at, datetime.fromisoformat(found[0][1]) + timedelta(microseconds=1))
            connection.execute(KEEP, (decision, label, key, task, stamp(at), int(reviewer)))
        if not found:
            return "new"
        return "again" if found[0][0] == label else "changed"

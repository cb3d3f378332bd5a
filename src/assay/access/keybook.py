"""The keys in the people's database: made, listed, replaced and withdrawn, each change audited with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from assay.access.key import (
    COLUMNS,
    Key,
    check_name,
    check_scopes,
    digest_of,
    is_id,
    key_of,
    new_secret,
)
from assay.access.rates import Rate
from assay.audit import Action, AuditLog
from assay.database import Connection, Database
from assay.exceptions import DatabaseError, KeyRefused

GRACE = timedelta(hours=24)
"""How long a key that was replaced stays valid unless somebody says otherwise."""

SELECT = f"SELECT {COLUMNS} FROM keys ORDER BY created_at, id"  # noqa: S608
INSERT = f"INSERT INTO keys ({COLUMNS}) VALUES ({', '.join(['%s'] * 9)})"  # noqa: S608
END = "UPDATE keys SET expires_at = %s, revoked_at = %s WHERE id = %s"


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, and its secret, which nobody can show again."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key!r})"


class KeyBook:
    """The keys of the people's database."""

    def __init__(
        self, database: Database, audit: AuditLog, clock: Callable[[], datetime] | None = None
    ) -> None:
        """Keep the parts; ``clock`` returns the present moment with its offset."""
        self._database, self._audit = database, audit
        self._clock = clock or (lambda: datetime.now(UTC))

    def list(self) -> Sequence[Key]:
        """Return every key that ever was, oldest first.

        Raises DatabaseError when one was changed past Assay.
        """
        with self._database.reading() as connection:
            return _keys(connection)

    def valid(self) -> Sequence[Key]:
        """Return the keys that are valid now, oldest first."""
        now = self._clock()
        return [key for key in self.list() if key.state(now) == "valid"]

    def create(
        self, name: str, scopes: str, *, who: str, rate: Rate | None = None, lasts: timedelta | None = None
    ) -> NewKey:
        """Make a key that ``lasts`` so long, or for ever.

        Raises ConfigError for a name or scopes that cannot be, KeyRefused when a valid key has the name.
        """
        check_name(name)
        now = self._clock()
        made = _make(name, check_scopes(scopes), rate, who=who, now=now, until=_later(now, lasts))
        with self._database.writing() as connection:
            if same := [key for key in _named(_keys(connection), name) if key.state(now) == "valid"]:
                raise KeyRefused(
                    f"There is a valid key {name!r} already, {same[0].id}. Choose another name, or put a new "
                    f"one in its place: assay keys rotate {name}",
                    keys=same,
                )
            connection.execute(INSERT, made.key.row())
            self._note(connection, "created", made.key, who=who, after=made.key.id)
        return made

    def rotate(self, reference: str, *, who: str, grace: timedelta = GRACE) -> NewKey:
        """Make a key with the name, scopes, rate and span of another, which stays valid for ``grace``.

        Raises KeyRefused when there is no such valid key, or three of one name would be valid at once.
        """
        now = self._clock()
        with self._database.writing() as connection:
            valid = _valid(_meant(_keys(connection), reference), reference, now)
            old, others = valid[-1], _others(_keys(connection), valid[-1], now)
            if others and (grace or others[-1].created_at > old.created_at):
                raise KeyRefused(
                    f"{old.name!r} has two valid keys already, {old.id} and {others[-1].id}; more would be "
                    f"hard to follow. Withdraw the one that is not used any more: assay keys revoke ID",
                    keys=[old, *others],
                )
            lasts = old.expires_at - old.created_at if old.expires_at else None
            # Later than the old one also by a clock that was set back: which is newer has to be known.
            at = max(now, old.created_at + timedelta(microseconds=1))
            made = _make(old.name, old.scopes, old.rate, who=who, now=at, until=_later(at, lasts))
            _end(connection, old, now=now, grace=grace)
            connection.execute(INSERT, made.key.row())
            self._note(
                connection, "rotated", made.key, who=who, before=old.id, after=made.key.id, grace=grace
            )
        return made

    def revoke(self, reference: str, *, who: str, reason: str = "") -> Sequence[Key]:
        """Withdraw a key at once, or all valid keys of a name; return them as they were.

        Raises KeyRefused when there is none.
        """
        now = self._clock()
        with self._database.writing() as connection:
            valid = _valid(_meant(_keys(connection), reference), reference, now)
            for key in valid:
                _end(connection, key, now=now, grace=timedelta(0))
                self._note(connection, "revoked", key, who=who, before=key.id, reason=reason)
        return valid

    def _note(
        self,
        connection: Connection,
        action: Action,
        key: Key,
        *,
        who: str,
        before: str | None = None,
        after: str | None = None,
        reason: str = "",
        grace: timedelta | None = None,
    ) -> None:
        evidence: dict[str, JsonValue] = {
            "name": key.name,
            "scopes": [*key.scopes],
            "rate": str(key.rate or ""),
            "expires": key.expires_at.isoformat() if key.expires_at else None,
        }
        if grace is not None:
            evidence["grace_seconds"] = int(grace.total_seconds())
        self._audit.append(
            who=who, action=action, kind="key", before=before, after=after, reason=reason,
            evidence=evidence, within=connection,
        )  # fmt: skip


def _make(
    name: str, scopes: tuple[str, ...], rate: Rate | None, *, who: str, now: datetime, until: datetime | None
) -> NewKey:
    identifier, secret = new_secret()
    key = Key(
        id=identifier, name=name, hash=digest_of(secret), scopes=scopes, rate=rate,
        created_at=now, created_by=who, expires_at=until,
    )  # fmt: skip
    return NewKey(key, secret)


def _later(now: datetime, lasts: timedelta | None) -> datetime | None:
    return None if lasts is None else now + lasts


def _end(connection: Connection, key: Key, *, now: datetime, grace: timedelta) -> None:
    if grace:
        ended = replace(key, expires_at=min(key.expires_at or now + grace, now + grace))
    else:
        ended = replace(key, revoked_at=now)
    *_, expires_at, revoked_at = ended.row()
    connection.execute(END, (expires_at, revoked_at, key.id))


def _keys(connection: Connection) -> list[Key]:
    keys = []
    for row in connection.execute(SELECT).fetchall():
        try:
            keys.append(key_of(row))
        except ValueError as error:
            raise DatabaseError(
                f"The key {row[0]!r} was changed past Assay and cannot be read: {error} Put its row right, "
                "or remove it.",
                id=row[0],
            ) from error
    return keys


def _named(keys: Sequence[Key], name: str) -> list[Key]:
    return [key for key in keys if key.name == name]


def _meant(keys: Sequence[Key], reference: str) -> list[Key]:
    return [key for key in keys if key.id == reference] if is_id(reference) else _named(keys, reference)


def _others(keys: Sequence[Key], key: Key, now: datetime) -> list[Key]:
    return [each for each in _named(keys, key.name) if each.id != key.id and each.state(now) == "valid"]


def _valid(meant: Sequence[Key], reference: str, now: datetime) -> list[Key]:
    if valid := [key for key in meant if key.state(now) == "valid"]:
        return valid
    what = f"The key {reference!r} is {meant[-1].state(now)}" if meant else f"There is no key {reference!r}"
    raise KeyRefused(f"{what}; nothing was changed. See which there are: assay keys list", keys=list(meant))

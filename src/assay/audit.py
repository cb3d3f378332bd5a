"""The audit log: who changed what, when, why, on what evidence; tampering shows."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, JsonValue, ValidationError, ValidationInfo, field_validator

from assay.config import faults
from assay.database import Connection, Database
from assay.exceptions import DatabaseError
from assay.frozen import Frozen

SeatAction = Literal["promoting", "promoted", "abandoned", "edited"]
# One Literal, so that a value that does not fit is refused by one name.
Action = Literal[SeatAction, "created", "rotated", "revoked", "refreshed", "erased"]
SEAT_ACTIONS = get_args(SeatAction)
Seat = Literal["production", "staging"]
Kind = Literal["promotion", "rollback", "override", "edit", "key", "service", "log"]

FIELDS = (
    *("number", "at", "who", "action", "model", "seat", "before", "after"),
    *("reason", "kind", "evidence", "previous", "hash"),
)
COLUMNS = ", ".join(f'"{name}"' for name in FIELDS)
ALL = f"SELECT {COLUMNS} FROM audit"  # noqa: S608
INSERT = f"INSERT INTO audit ({COLUMNS}) VALUES ({', '.join(['%s'] * len(FIELDS))})"  # noqa: S608


def _storable(text: str) -> str:
    text.encode()  # a lone surrogate, as in an argument that is not UTF-8, raises a ValueError
    if "\0" in text:
        raise ValueError("a NUL character cannot be kept")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1)]


class Entry(Frozen):
    """One line of the log.

    ``before`` and ``after`` are version numbers, None where the seat is empty; of keys, their ids.
    """

    number: int = Field(ge=1)
    at: datetime
    """In UTC, never before the entry before."""
    who: Name
    action: Action
    """What was begun, what came of it, that a seat was moved outside Assay; or what was done to a key, the
    service or the decision log."""
    model: Text
    """The registered model whose seat it is; empty where the entry is about anything else."""
    seat: Literal["production", "staging", ""]
    before: Text | None
    after: Text | None
    reason: Text
    kind: Kind
    evidence: dict[str, JsonValue]
    previous: str
    """The hash of the entry before; empty for the first."""
    hash: str
    """SHA-256 of all other fields as canonical JSON."""

    @field_validator("model", "seat")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("action") in SEAT_ACTIONS:
            raise ValueError("an entry about a seat names it and its model")
        return value


class Verification(Frozen):
    """What a check of the whole log found: ``faults`` are sentences, none when it is whole."""

    entries: int
    head: str
    """The hash of the last entry; noted somewhere else, it shows a tail that was cut off."""
    faults: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the finding for people, a line each."""
        count = f"{self.entries} {'entry' if self.entries == 1 else 'entries'}"
        if self.faults:
            return [f"The audit log ({count}) was changed past Assay, or damaged:", *self.faults]
        return [f"The audit log is whole: {count}, the hash of the last is {self.head or '(none)'}."]


class AuditLog:
    """The append-only log in the people's database."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] | None = None) -> None:
        """Keep the database; ``clock`` returns the present moment with its offset."""
        self._database = database
        self._clock = clock or (lambda: datetime.now(UTC))

    def append(
        self,
        *,
        who: str,
        action: Action,
        kind: Kind,
        model: str = "",
        seat: Seat | Literal[""] = "",
        before: str | None = None,
        after: str | None = None,
        reason: str = "",
        evidence: Mapping[str, JsonValue] | None = None,
        within: Connection | None = None,
    ) -> Entry:
        """Write an entry behind the last one and return it, in a transaction of its own.

        With the connection of a transaction that writes, the entry is kept or undone together with what else
        that one changes. A clock that stands before the last entry is kept as ``evidence["clock"]``, and the
        entry takes the last one's time. Raises DatabaseError, also for what JSON cannot hold (NaN, lone
        surrogates).
        """
        given = {
            **{"who": who, "action": action, "model": model, "seat": seat, "before": before},
            **{"after": after, "kind": kind, "reason": reason, "evidence": dict(evidence or {})},
        }
        transaction = self._database.writing() if within is None else nullcontext(within)
        with transaction as connection:
            last = connection.execute(f"{ALL} ORDER BY number DESC LIMIT 1").fetchall()
            entry = _follow(dict(zip(FIELDS, last[0], strict=True)) if last else {}, given, self._clock())
            connection.execute(INSERT, _row(entry))
        return entry

    def entries(self, model: str | None = None) -> list[Entry]:
        """Return the entries, of one model or all, oldest first.

        Raises DatabaseError when one was changed so that it is no entry any more.
        """
        return [_entry(row) for row in self._rows(model)]

    def readable(self, model: str | None = None) -> tuple[list[Entry], list[str]]:
        """Return the entries, of one model or all, that can be read, and a sentence for each that cannot.

        A log that was tampered with keeps nobody from a rollback.
        """
        found: list[Entry] = []
        told: list[str] = []
        for row in self._rows(model):
            try:
                found.append(_entry(row))
            except DatabaseError as error:
                told.append(error.message)
        return found, told

    def verify(self, anchors: Mapping[str, str] | None = None) -> Verification:
        """Return whether the log is as it was written, naming every entry that is not.

        ``anchors`` maps a place, as it is to be named, to a hash that was noted there and must be in the
        log: they show entries cut off at the end, which the chain cannot.
        """
        rows = self._rows(None)
        found, before = [], {"number": 0, "hash": "", "at": ""}
        for row in rows:
            fields = dict(zip(FIELDS, row, strict=True))
            found += _faults(fields, before)
            before = fields
        hashes = {row[-1] for row in rows}
        found += [
            f"{place} names an entry with the hash {anchor}, which is not in the log: entries were removed, "
            "or written anew."
            for place, anchor in (anchors or {}).items()
            if anchor not in hashes
        ]
        return Verification(entries=len(rows), head=str(before["hash"]), faults=tuple(found))

    def _rows(self, model: str | None) -> list[tuple[Any, ...]]:
        query, values = (ALL, []) if model is None else (f"{ALL} WHERE model = %s", [model])
        with self._database.reading() as connection:
            return connection.execute(f"{query} ORDER BY number", values).fetchall()


def _follow(last: Mapping[str, Any], given: Mapping[str, Any], now: datetime) -> Entry:
    at, before, evidence = now.astimezone(UTC), _moment(last.get("at")), given["evidence"]
    if before is not None and at < before:
        at, evidence = before, {**evidence, "clock": at.isoformat()}
    try:
        values = {
            **given,
            "number": last.get("number", 0) + 1,
            "at": at,
            "evidence": json.loads(_canonical(evidence)),
            "previous": last.get("hash", ""),
            "hash": "",
        }
        entry = Entry.model_validate(values)
    except ValidationError as error:
        raise DatabaseError(f"This cannot be an entry of the audit log:\n{faults(error)}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise DatabaseError(f"This evidence is not JSON and cannot be kept: {error}.") from error
    return entry.model_copy(update={"hash": _digest(entry)})


def _entry(row: Sequence[Any]) -> Entry:
    try:
        return _parse(row)
    except (TypeError, ValueError, RecursionError) as error:
        raise DatabaseError(
            f"Entry {row[0]!r} of the audit log was changed past Assay and cannot be read. "
            "See what else was: assay audit verify",
            number=row[0],
        ) from error


def _faults(fields: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    number, expected, intact = fields["number"], before["number"] + 1, _intact(fields)
    found = [] if intact else [f"Entry {number} was changed: its fields do not give its hash."]
    if number > expected:
        gone = f"Entry {expected} is" if number == expected + 1 else f"Entries {expected} to {number - 1} are"
        found.append(f"{gone} missing.")
    elif fields["previous"] != before["hash"]:
        found.append(
            f"Entry {number} does not follow entry {before['number']}, which was replaced, or changed "
            "together with its hash."
            if before["hash"]
            else f"Entry {number} is the first, but it names an entry before it."
        )
    elif intact and fields["at"] < str(before["at"]):
        found.append(f"Entry {number} is dated before entry {before['number']}.")
    return found


def _intact(fields: Mapping[str, Any]) -> bool:
    row = tuple(fields.values())
    try:
        entry = _parse(row)
        return _row(entry) == row and _digest(entry) == entry.hash
    except (TypeError, ValueError, RecursionError):
        return False


def _parse(row: Sequence[Any]) -> Entry:
    fields = dict(zip(FIELDS, row, strict=True))
    return Entry.model_validate({**fields, "evidence": json.loads(fields["evidence"])})


def _row(entry: Entry) -> tuple[Any, ...]:
    """Return the row of an entry: moments and evidence as text, so that both databases keep each digit."""
    fields = {**dict(entry), "at": _stamp(entry.at), "evidence": _canonical(entry.evidence)}
    return tuple(fields[name] for name in FIELDS)


def _digest(entry: Entry) -> str:
    fields = {**dict(entry), "at": _stamp(entry.at)}
    del fields["hash"]
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None

"""Keys for people: made, listed, replaced, withdrawn, each told in lines."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from assay.access import (
    GRACE,
    Key,
    KeyBook,
    NewKey,
    check_start,
    decide_policy,
    parse_rate,
)
from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import DatabaseError
from assay.moments import parse_span
from assay.registry import who_of
from assay.settings import Settings

logger = logging.getLogger(__name__)


def open_keys(settings: Settings) -> KeyBook:
    """Return the keys of the people's database that the settings name."""
    database = Database(settings.people)
    return KeyBook(database, AuditLog(database))


def check_keys(settings: Settings) -> None:
    """Refuse to start where every caller is asked for a key and there is none.

    Raises ConfigError saying what to do. A database that is down keeps no service from starting: it is not
    ready until the keys can be read.
    """
    policy = decide_policy(settings.host, require_keys=settings.require_keys, insecure=settings.insecure)
    if not policy.everybody:
        return
    try:
        valid = len(open_keys(settings).valid())
    except DatabaseError as error:
        logger.warning("Whether there are keys is not known yet: %s", error.message)
    else:
        check_start(policy, settings.host, valid)


def create_key(name: str, scopes: str, settings: Settings, *, rate: str, expires: str) -> Iterator[str]:
    """Make a key and yield what it may do, and, as the last line, its secret."""
    lasts = parse_span(expires) if expires else None
    book, who = open_keys(settings), who_of(settings)
    yield from told(book.create(name, scopes, who=who, rate=parse_rate(rate), lasts=lasts))


def rotate_key(reference: str, settings: Settings, *, grace: str) -> Iterator[str]:
    """Put a new key in the place of one, and yield what it may do, the secret as the last line."""
    span = parse_span(grace) if grace else GRACE
    made = open_keys(settings).rotate(reference, who=who_of(settings), grace=span)
    yield f"The key before it stays valid for {grace or '24h'}." if span else "The key before it was revoked."
    yield from told(made)


def revoke_key(reference: str, settings: Settings, *, reason: str) -> Iterator[str]:
    """Withdraw a key, or those of a name, and yield which they were."""
    for key in open_keys(settings).revoke(reference, who=who_of(settings), reason=reason):
        yield f"Key {key.id} {key.name} was revoked; within 2 seconds no worker takes it any more."


def list_keys(settings: Settings) -> Iterator[str]:
    """Yield every key as a table, oldest first."""
    keys, now = open_keys(settings).list(), datetime.now(UTC)
    if not keys:
        yield "There are no keys yet. Make one: assay keys create --name NAME --scope predict"
        return
    width = max(len("name"), *(len(key.name) for key in keys))
    yield f"id        {'name':{width}}  state    rate       created     expires     scopes"
    for key in keys:
        dates = f"{key.created_at:%Y-%m-%d}  {_day(key.expires_at):10}"
        rate = str(key.rate or "-")
        yield f"{key.id}  {key.name:{width}}  {key.state(now):7}  {rate:9}  {dates}  {', '.join(key.scopes)}"


def told(made: NewKey) -> Iterator[str]:
    """Yield what a new key may do, and its secret."""
    yield _sentence(made.key)
    yield "Keep it where secrets are kept: it is shown this once."
    yield made.secret


def _sentence(key: Key) -> str:
    rate = f"{key.rate} at most" if key.rate else "as often as the service's own rate lets it"
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    return f"Key {key.id} {key.name} may do {', '.join(key.scopes)}; {rate}; {until}."


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"

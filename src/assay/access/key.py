"""One key: its secret as the caller has it, and what is kept of it."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from assay.access.callers import Caller
from assay.access.rates import Rate, parse_rate
from assay.exceptions import ConfigError

SCOPES = ("predict", "batch", "feedback", "admin")
COLUMNS = "id, name, hash, scopes, rate, created_at, created_by, expires_at, revoked_at"
MAX_NAME = 64

_SECRET = re.compile(r"assay_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")
_ID = re.compile(r"[0-9a-f]{8}")
_NOBODY = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Key:
    """What is kept of a key: never its secret, only the secret's SHA-256.

    A secret is 256 random bits, so its plain hash cannot be searched, and one look-up costs microseconds.
    """

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    rate: Rate | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Key({self.id!r}, {self.name!r})"

    def state(self, now: datetime) -> str:
        """Return ``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"

    @cached_property
    def caller(self) -> Caller:
        """The caller that carries this key."""
        return Caller(id=f"key:{self.id}", name=self.name, scopes=frozenset(self.scopes), rate=self.rate)

    def row(self) -> tuple[Any, ...]:
        """Return the key as a row of its table."""
        moments = [_stamp(each) for each in (self.expires_at, self.revoked_at)]
        created = _stamp(self.created_at)
        scopes, rate = ",".join(self.scopes), str(self.rate or "")
        return (self.id, self.name, self.hash, scopes, rate, created, self.created_by, *moments)


def key_of(row: Sequence[Any]) -> Key:
    """Return the key that a row of the table holds; raises ValueError when it was changed past Assay."""
    identifier, name, digest, scopes, rate, created_at, created_by, expires_at, revoked_at = row
    try:
        return Key(
            id=check_id(identifier),
            name=check_name(name),
            hash=digest,
            scopes=check_scopes(scopes),
            rate=parse_rate(rate),
            created_at=datetime.fromisoformat(created_at),
            created_by=created_by,
            expires_at=_moment(expires_at),
            revoked_at=_moment(revoked_at),
        )
    except (ConfigError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def new_secret() -> tuple[str, str]:
    """Return the id of a new key and its secret, as the caller will send it."""
    identifier = secrets.token_hex(4)
    return identifier, f"assay_{identifier}_{secrets.token_urlsafe(32)}"


def id_in(secret: str) -> str | None:
    """Return the id that a secret carries; None for what has not the form of one."""
    found = _SECRET.fullmatch(secret)
    return found[1] if found else None


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def fits(secret: str, key: Key | None) -> bool:
    """Return whether a secret is that of a key, in a time that tells nothing; no secret is that of None."""
    return hmac.compare_digest(digest_of(secret), key.hash if key else _NOBODY) and key is not None


def is_id(text: str) -> bool:
    """Return whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def check_id(text: str) -> str:
    """Return an id as it is; raises ConfigError for what is none."""
    if not is_id(text):
        raise ConfigError(f"{text!r} is no id of a key: it must be eight of the characters 0-9 and a-f.")
    return text


def check_name(name: str) -> str:
    """Return a name as it is; raises ConfigError when it could pass for something else where it is shown."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:MAX_NAME]!r} cannot be the name of a key. Use up to {MAX_NAME} of the characters A-Z, "
            "a-z, 0-9, '.', '_' and '-', a letter or digit first."
        )
    if is_id(name):
        raise ConfigError(f"{name!r} cannot be the name of a key: it would read as a key's id. Add a letter.")
    return name


def check_scopes(text: str) -> tuple[str, ...]:
    """Return the scopes that a text like ``predict,batch`` lists, each once.

    Raises ConfigError for none and for one that does not exist.
    """
    given = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [each for each in given if each not in SCOPES]
    if unknown or not given:
        what = f"There is no scope {unknown[0]!r}" if unknown else "A key needs a scope"
        raise ConfigError(f"{what}. Scopes are {', '.join(SCOPES)}; separate several by commas.")
    return tuple(each for each in SCOPES if each in given)


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text is not None else None

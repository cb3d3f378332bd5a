"""Moments and spans of time as people write them."""

import re
from datetime import UTC, datetime, timedelta

from assay.exceptions import ConfigError

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""What the units of a span and of a rate stand for."""
UNITS = "s (second), m (minute), h (hour) or d (day)"
LONGEST = timedelta(days=36_500)

_SPAN = re.compile(r"([0-9]{1,9})([smhd])")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)


def parse_span(text: str) -> timedelta:
    """Return the time that a text like ``90d`` or ``24h`` writes.

    Raises ConfigError, with an example, for any other text.
    """
    found = _SPAN.fullmatch(text.strip())
    if found and (seconds := int(found[1]) * SECONDS[found[2]]) <= LONGEST.total_seconds():
        return timedelta(seconds=seconds)
    raise ConfigError(
        f"{text!r} is no span of time of at most {LONGEST.days:,} days. Write a whole number and its unit: "
        f"{UNITS}; like 90d or 24h."
    )


def parse_moment(text: str) -> datetime:
    """Return the moment in UTC that a text names: a date (its midnight) or a time, UTC without an offset.

    Raises ConfigError, with examples.
    """
    written = text.strip()
    try:
        if not _MOMENT.fullmatch(written):
            raise ValueError("it is written in another way")
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"{text!r} is no moment that can be looked up ({error}). Write a date or a time like "
            "2026-11-17, 2026-11-17T14:00 (UTC) or 2026-11-17T14:00+01:00.",
            moment=text,
        ) from error


def parse_moment_back(text: str, now: datetime) -> datetime:
    """Return the moment in UTC that a text names: so long before ``now`` (``24h``), or as ``parse_moment``.

    Raises ConfigError, with examples of both.

    >>> parse_moment_back("7d", datetime(2026, 11, 29, 12, tzinfo=UTC)).isoformat()
    '2026-11-22T12:00:00+00:00'
    >>> parse_moment_back("2026-11-17T14:00+01:00", datetime.now(UTC)).isoformat()
    '2026-11-17T13:00:00+00:00'
    """
    try:
        if _SPAN.fullmatch(text.strip()):
            return now.astimezone(UTC) - parse_span(text)
        return parse_moment(text)
    except (ConfigError, OverflowError) as error:
        raise ConfigError(
            f"{text!r} is neither a span of time nor a moment. Write how long ago it was, a whole number and "
            f"its unit, {UNITS}, at most {LONGEST.days:,} days, like 24h or 7d; or a date or a time like "
            "2026-11-17, 2026-11-17T14:00 (UTC) or 2026-11-17T14:00+01:00.",
            moment=text,
        ) from error

"""Moments and spans of time, read as people write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.exceptions import ConfigError
from assay.moments import parse_moment, parse_moment_back, parse_span

NOW = datetime(2026, 11, 29, 12, 30, 15, 250_000, tzinfo=UTC)


def test_spans_are_read() -> None:
    assert [parse_span(text) for text in ("90d", "24h", "30m", "0s")] == [
        timedelta(days=90), timedelta(hours=24), timedelta(minutes=30), timedelta(0),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "90", "d", "1w", "-1d", "1.5d", "99999d", "1 d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no span of time of at most 36,500 days.*like 90d or 24h"):
        parse_span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-17", datetime(2026, 11, 17, tzinfo=UTC)),
        ("2026-11-17T14:00", datetime(2026, 11, 17, 14, tzinfo=UTC)),
        (" 2026-11-17 14:00 ", datetime(2026, 11, 17, 14, tzinfo=UTC)),
        ("2026-11-17T14:00Z", datetime(2026, 11, 17, 14, tzinfo=UTC)),
        ("2026-11-17T14:00+01:00", datetime(2026, 11, 17, 13, tzinfo=UTC)),
        ("2026-11-17T00:30:05.25+05:30", datetime(2026, 11, 16, 19, 0, 5, 250_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment
    assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026", "20261117", "17.11.2026", "2026-13-01", "2026-02-30", "2026-11-17T25:00"),
        *(
            "2026-11-17T14",
            "2026-11-17T14:00+1",
            "２０２６-11-17",
            "0001-01-01T00:00+14:00",
            "2026-11-17T14:00 CET",
        ),
    ],
)
def test_another_way_of_writing_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no moment .* 2026-11-17, 2026-11-17T14:00 \(UTC\)"):
        parse_moment(text)


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))
def test_what_isoformat_writes_is_read(moment: datetime) -> None:
    utc = moment.astimezone(UTC)
    assert parse_moment(utc.isoformat()) == utc


@given(st.text())
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    with suppress(ConfigError):
        assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24h", NOW - timedelta(hours=24)),
        (" 7d ", NOW - timedelta(days=7)),
        ("0s", NOW),
        ("2026-11-17", datetime(2026, 11, 17, tzinfo=UTC)),
        ("2026-11-17T14:00+01:00", datetime(2026, 11, 17, 13, tzinfo=UTC)),
    ],
)
def test_a_moment_is_so_long_ago_or_named(text: str, moment: datetime) -> None:
    assert parse_moment_back(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "1w", "-1d", "99999d", "24 h", "2026-13-01"])
def test_what_is_neither_is_refused_with_examples_of_both(text: str) -> None:
    with pytest.raises(ConfigError, match=r"neither a span .* like 24h or 7d; .* 2026-11-17T14:00 \(UTC\)"):
        parse_moment_back(text, NOW)


def test_a_span_that_reaches_before_all_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither a span"):
        parse_moment_back("36500d", datetime(50, 1, 1, tzinfo=UTC))


@given(st.integers(0, 36_500 * 24))
def test_every_span_is_counted_back(hours: int) -> None:
    assert NOW - parse_moment_back(f"{hours}h", NOW) == timedelta(hours=hours)


@given(st.text())
def test_any_text_is_a_moment_back_or_refused(text: str) -> None:
    with suppress(ConfigError):
        assert parse_moment_back(text, NOW).tzinfo is UTC

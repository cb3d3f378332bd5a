"""Rates as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.access import Rate, parse_rate
from assay.exceptions import ConfigError


@pytest.mark.parametrize(
    ("text", "count", "period"),
    [("100/s", 100, 1), ("600/m", 600, 60), ("1000/h", 1000, 3600), ("5/d", 5, 86400), (" 1/s ", 1, 1)],
)
def test_a_rate_is_a_count_and_a_period(text: str, count: int, period: int) -> None:
    assert parse_rate(text) == Rate(count, period)


@given(count=st.integers(1, 10_000), unit=st.sampled_from("smhd"))
def test_a_rate_is_read_as_it_is_written(count: int, unit: str) -> None:
    text = f"{count}/{unit}"
    assert str(parse_rate(text)) == text


@given(st.text())
def test_any_text_is_a_rate_or_refused_with_an_example(text: str) -> None:
    try:
        rate = parse_rate(text)
    except ConfigError as error:
        told = error.message
    else:
        told = "100/s"
        assert rate is None or (rate.count > 0 and rate.interval > 0 and rate.burst > 0)
    assert "100/s" in told


@pytest.mark.parametrize(
    "text",
    ["100", "0/s", "-1/s", "1.5/s", "100/w", "100 /s", "100/S", "١/s", "1e3/s", "/s", "1/s\n1", "9" * 40],
)
def test_what_is_no_rate_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no rate.*like 100/s, 600/m or 5/d"):
        parse_rate(text)


def test_a_rate_beyond_counting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'10001/s' is over 10,000 requests a second"):
        parse_rate("10001/s")


def test_no_text_is_no_rate() -> None:
    assert parse_rate("") is None


@pytest.mark.parametrize(
    ("text", "burst"),
    [
        ("5/d", 5),
        ("100/s", 100),
        ("86400/d", 1_000),
        ("60000/m", 10_000),
        ("5000/s", 5_000),
        ("1000/h", 1_000),
    ],
)
def test_what_may_come_at_once_is_a_period_s_worth_unless_that_is_much(text: str, burst: int) -> None:
    rate = parse_rate(text)
    assert rate is not None
    assert rate.burst == burst

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators.encoder.wire import WireError, fields


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def encoded(number: int, value: int | bytes) -> bytes:
    """Return one field, a varint or bytes, as it stands in a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


FIELDS = st.lists(st.tuples(st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1) | st.binary(max_size=300)))


@given(FIELDS)
def test_fields_come_as_they_were_written(written: list[tuple[int, int | bytes]]) -> None:
    message = b"".join(encoded(*each) for each in written)
    assert [(number, value) for number, value in fields(memoryview(message))] == written


@pytest.mark.parametrize(
    ("message", "value"), [(b"\x09" + b"\x01" + bytes(7), 1), (b"\x0d" + b"\x00\x01\x00\x00", 256)]
)
def test_fixed_fields_are_numbers(message: bytes, value: int) -> None:
    assert list(fields(memoryview(message))) == [(1, value)]


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (b"\x00\x01", "the number 0"),
        (varint(1 << 32 | 13 << 3) + b"\x01", "the number 536870925"),
        (b"\x0b", "kind 3"),
        (b"\x08", "does not end"),
        (b"\x08" + b"\xff" * 11, "does not end"),
        (b"\x0a\x05abcd", "5 bytes are announced"),
        (b"\x09\x00", "8 bytes are announced"),
    ],
)
def test_what_is_no_message_is_refused(message: bytes, fault: str) -> None:
    with pytest.raises(WireError, match=fault):
        list(fields(memoryview(message)))

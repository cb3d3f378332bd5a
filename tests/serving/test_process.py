"""Which address is listened on."""

import socket

import pytest

from assay.exceptions import ConfigError
from assay.serving import address_of, bind, first_free_port


def test_port_0_takes_a_free_one() -> None:
    with bind("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        assert (host, port > 0) == ("127.0.0.1", True)
        socket.create_connection((host, port)).close()


def test_a_port_that_is_bound_is_taken_although_nothing_answers_yet() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port} cannot be listened on: Address already"):
            bind("127.0.0.1", port)
        assert first_free_port("127.0.0.1", port) > port


def test_the_first_free_port_is_the_one_asked_for_when_it_is_free() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    assert first_free_port("127.0.0.1", port) == port


def test_from_port_0_any_free_port_will_do() -> None:
    assert first_free_port("127.0.0.1", 0) > 0


def test_no_free_port_is_said() -> None:
    with (
        bind("127.0.0.1", 0) as listener,
        pytest.raises(ConfigError, match=r"No port from \d+ to \d+ of 127\.0\.0\.1 is free; set ASSAY_PORT"),
    ):
        first_free_port("127.0.0.1", listener.getsockname()[1], tries=1)


def test_an_address_of_another_machine_is_refused_once() -> None:
    with pytest.raises(ConfigError, match=r"http://192\.0\.2\.1:8000 cannot be listened on: Cannot assign"):
        first_free_port("192.0.2.1", 8000)


def test_ipv6_is_listened_on_and_written_in_brackets() -> None:
    with bind("::1", 0) as listener:
        port = listener.getsockname()[1]
        assert listener.family == socket.AF_INET6
        with pytest.raises(ConfigError, match=rf"http://\[::1\]:{port} cannot be listened on"):
            bind("::1", port)
    assert address_of("::1", 8000) == "http://[::1]:8000"
    assert address_of("localhost", 80) == "http://localhost:80"

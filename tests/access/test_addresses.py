"""The address of a client: what proxies that are trusted say of it, and nothing that a client says itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.access import client_address, counted_address, is_trusted
from assay.notation import networks

PROXIES = networks("10.0.0.0/8, 2001:db8:1::/48, 127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.1, rubbish, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1,"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ['"[2001:db8::7]:4711"'], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("2001:db8:1::1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["fe80::1%eth0"], "10.0.0.1"),
        ("10.0.0.1", ["127.1"], "10.0.0.1"),
        ("10.0.0.1", ["010.0.0.1"], "10.0.0.1"),
        ("", ["198.51.100.1"], ""),
        ("testclient", ["198.51.100.1"], "testclient"),
    ],
)
def test_entries_are_believed_from_the_right_while_proxies_wrote_them(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


@given(st.lists(st.text(max_size=40), max_size=4), st.sampled_from(["203.0.113.5", "10.0.0.1"]))
def test_whatever_a_client_sends_stays_left_of_what_the_proxy_heard(sent: list[str], peer: str) -> None:
    assert client_address("203.0.113.5", sent, PROXIES) == "203.0.113.5"
    assert client_address("10.0.0.1", [*sent, "198.51.100.9"], PROXIES) == "198.51.100.9"
    assert client_address(peer, sent, ()) == peer


def test_a_header_of_a_million_entries_is_looked_at_for_a_few() -> None:
    assert client_address("10.0.0.1", ["10.0.0.2," * 1_000_000 + "198.51.100.1"], PROXIES) == "198.51.100.1"
    assert client_address("10.0.0.1", ["198.51.100.1" + ",10.0.0.2" * 100], PROXIES) == "10.0.0.2"


def test_ipv6_is_counted_by_the_network_that_one_customer_has() -> None:
    assert counted_address("2001:db8::1") == counted_address("2001:db8::ffff:1") == "2001:db8::/64"
    assert counted_address("2001:db8:0:1::1") != counted_address("2001:db8::1")
    assert counted_address("192.0.2.1") == "192.0.2.1"
    assert counted_address("") == ""


def test_only_listed_networks_are_trusted() -> None:
    assert [is_trusted(peer, PROXIES) for peer in ("10.255.0.1", "11.0.0.1", "", "127.0.0.2")] == [
        True, False, False, False,
    ]  # fmt: skip

"""Lists, networks, origins, pairs and URIs, as settings write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import notation


def test_parts_of_a_list_need_not_be_tidy() -> None:
    assert notation.parts(" a, ,b ,, c") == ["a", "b", "c"]
    assert notation.parts("") == []


def test_networks_of_both_families_and_single_addresses_are_read() -> None:
    assert [str(each) for each in notation.networks("10.0.0.0/8, ::1")] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    "text", ["proxy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0-10.0.0.9", "10.0.0.0/8 ::1"]
)
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no network like"):
        notation.networks(f"127.0.0.1,{text}")


@pytest.mark.parametrize(
    "origin",
    ["https://example.org", "http://localhost:3000", "http://[::1]:8080", "https://a-b.example", "*"],
)
def test_origins_are_read(origin: str) -> None:
    assert notation.origins(origin) == (origin,)


@pytest.mark.parametrize(
    "text",
    [
        *("example.org", "https://", "https://example.org/", "https://example.org/x", "https://Example.org"),
        *("ftp://example.org", "https://me@example.org", "https://example.org:99999", "https://a b", "null"),
        *("https://*.example.org", "https://example.org?x", "https://exa\tmple.org", "http://[::1"),
    ],
)
def test_what_is_no_origin_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        notation.origins(text)


def test_any_origin_stands_alone() -> None:
    with pytest.raises(ValueError, match="any origin already"):
        notation.origins("*,https://example.org")


def test_pairs_are_read() -> None:
    assert notation.pairs("TOXICITY=abuse, SPAM = spam") == {"TOXICITY": "abuse", "SPAM": "spam"}


@pytest.mark.parametrize("text", ["TOXICITY", "=abuse", "TOXICITY=", "toxicity=abuse", "A B=c"])
def test_what_is_no_pair_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="write NAME=task"):
        notation.pairs(text)


def test_an_attribute_has_one_task() -> None:
    with pytest.raises(ValueError, match="SPAM is named twice, for 'a' and 'b'"):
        notation.pairs("SPAM=a,SPAM=b")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (notation.networks, notation.origins, notation.pairs):
        with suppress(ValueError):
            parse(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://ann:hunter2@host/db", "postgresql://***@host/db"),
        ("postgresql://ann:hun@ter2@host/db", "postgresql://***@host/db"),
        ("postgresql:///ann:hunter2@host/db", "postgresql://***@host/db"),
        ("ann:hunter2@host/db", "***@host/db"),
        ("redis://host?password=hunter2&db=1", "redis://host?password=***&db=1"),
        ("host=x password=hunter2 user=ann", "host=x password=*** user=ann"),
        ("https://host/?api_key=hunter2", "https://host/?api_key=***"),
        ("sqlite:////a@b/x.db", "sqlite:////a@b/x.db"),
        ("http://host:5000/x", "http://host:5000/x"),
        ("postgresql://host/db?user=a&password=hun@ter2", "postgresql://***"),
        ("redis://:hun?ter2@host", "redis://***"),
        (
            "postgresql://ann:hunter2@host/db?sslpassword=hunter2&a=b",
            "postgresql://***@host/db?sslpassword=***&a=b",
        ),
        ("hunter2", "***"),
        ("hun/ter2==", "***"),
        ("./mlruns", "./mlruns"),
        ("/data/mlruns", "/data/mlruns"),
        ("https://host/?passphrase=hunter2", "https://host/?passphrase=***"),
        ("", ""),
    ],
)
def test_uris_are_shown_without_credentials(uri: str, shown: str) -> None:
    assert notation.without_credentials(uri) == shown


def test_what_a_library_says_of_uris_loses_their_credentials() -> None:
    said = "API request to http://ann:hunter2@host/api failed, see https://host/help, redis://:x@y (no b@c)"
    assert notation.covered(said) == (
        "API request to http://***@host/api failed, see https://host/help, redis://***@y (no b@c)"
    )


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("postgresql://ann:hun%40ter2@host/db", {"hun%40ter2", "hun@ter2"}),
        ("redis://host?password=hunter2&db=1", {"hunter2"}),
        ("rediss://:a@b:c@host?ssl_keyfile=k", {"a@b:c", "k"}),
        ("postgresql://ann@host/db", set()),
        ("sqlite:////data/x.db", set()),
        ("", set()),
    ],
)
def test_the_passwords_of_a_uri_are_found(uri: str, found: set[str]) -> None:
    assert notation.passwords(uri) == found


@pytest.mark.parametrize(
    ("uri", "misread"),
    [
        ("postgresql://ann:x@host/db", False),
        ("postgresql://host/db", False),
        ("postgresql://ann:x@y@host/db", True),
        ("postgresql://ann:x/y@host/db", True),
        ("postgresql://host/db?password=x@y", True),
    ],
)
def test_an_at_that_does_not_end_the_credentials_is_seen(uri: str, misread: bool) -> None:
    assert notation.is_misread(uri) == misread

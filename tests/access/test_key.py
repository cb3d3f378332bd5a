"""One key: what its secret looks like, and what is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.access import SCOPES, Key, Rate
from assay.access.key import check_name, check_scopes, digest_of, fits, id_in, key_of, new_secret
from assay.exceptions import ConfigError

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def made(**fields: object) -> tuple[Key, str]:
    """Return a key and its secret."""
    identifier, secret = new_secret()
    key = Key(
        id=identifier, name="ci", hash=digest_of(secret), scopes=("predict",), rate=Rate(5, 1),
        created_at=NOON, created_by="ada",
    )  # fmt: skip
    return replace(key, **fields), secret  # type: ignore[arg-type]


def test_a_secret_has_an_id_and_256_random_bits() -> None:
    secrets = [new_secret() for _ in range(200)]
    assert all(secret.startswith(f"assay_{name}_") and len(secret) == 58 for name, secret in secrets)
    assert [id_in(secret) for _, secret in secrets] == [name for name, _ in secrets]
    assert len({secret for _, secret in secrets}) == 200


@pytest.mark.parametrize(
    "text",
    ["", "assay_", "assay_00000000_", "assay_0000000g_" + "x" * 43,
     "assay_00000000_" + "x" * 42, "assay_00000000_" + "x" * 43 + "\n", "ASSAY_00000000_" + "x" * 43,
     "assay_00000000_" + "é" * 43, "\ud800"],
)  # fmt: skip
def test_what_has_not_the_form_of_a_secret_has_no_id(text: str) -> None:
    assert id_in(text) is None


@given(st.text())
def test_no_text_is_the_secret_of_another_key(text: str) -> None:
    key, _ = made()
    assert not fits(text, key)
    assert not fits(text, None)


def test_only_its_own_secret_fits_a_key() -> None:
    key, secret = made()
    assert fits(secret, key)
    assert not fits(secret[:-1] + ("A" if secret[-1] != "A" else "B"), key)
    assert not fits(secret, None)


def test_a_key_does_not_show_what_is_kept_of_its_secret() -> None:
    key, secret = made()
    assert repr(key) == f"Key({key.id!r}, 'ci')"
    assert secret.split("_", 2)[2] not in str(key.row())


def test_a_key_is_read_as_it_is_written() -> None:
    for fields in ({}, {"rate": None}, {"expires_at": NOON + timedelta(days=1), "revoked_at": NOON}):
        key, _ = made(scopes=("predict", "admin"), **fields)
        assert key_of(key.row()) == key


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "x"),
        (1, "a\nb"),
        (3, "root"),
        (3, ""),
        (4, "1/w"),
        (5, "yesterday"),
        (5, None),
        (7, "x"),
        (0, None),
    ],
)
def test_a_row_that_was_changed_is_no_key(place: int, value: object) -> None:
    row = [*made()[0].row()]
    row[place] = value
    with pytest.raises(ValueError, match=r".+"):
        key_of(row)


def test_the_state_of_a_key_goes_by_the_clock() -> None:
    key, _ = made(expires_at=NOON)
    assert [key.state(NOON + timedelta(seconds=s)) for s in (-1, 0, 1)] == ["valid", "expired", "expired"]
    assert made(revoked_at=NOON)[0].state(NOON - timedelta(days=1)) == "revoked"
    assert made()[0].state(NOON + timedelta(days=9_999)) == "valid"


@pytest.mark.parametrize("name", ["ci", "team-a.batch_2", "0123456", "A" * 64, "deadbeef0"])
def test_sane_names_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a\nb", "a\r\nSet-Cookie: x", "ä", "-a", ".a", "a" * 65, "a\0", "a\ud800", "a/b", "a\n",
     "=1+1", "\u202ea", "1 OR 1=1"],
)  # fmt: skip
def test_names_that_could_pass_for_something_else_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a key"):
        check_name(name)


def test_a_name_that_reads_as_an_id_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'deadbeef' .* would read as a key's id"):
        check_name("deadbeef")


def test_scopes_are_listed_once_in_one_order() -> None:
    assert check_scopes("batch, predict,batch") == ("predict", "batch")
    assert check_scopes(",".join(SCOPES)) == SCOPES


@pytest.mark.parametrize(
    ("text", "fault"), [("predict,root", "no scope 'root'"), ("", "needs a scope"), (",", "needs")]
)
def test_scopes_that_do_not_exist_are_named(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=rf"{fault}.*predict, batch, feedback, admin"):
        check_scopes(text)

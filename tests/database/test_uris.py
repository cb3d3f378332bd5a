"""Which URIs are taken, and that no message shows a password."""

import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from assay.database import Database
from assay.exceptions import ConfigError, DatabaseError, MissingExtra
from tests.databases import add, names


def shown_by(uri: str) -> str:
    """Return all that a database on a port without a server tells of its URI."""
    try:
        database = Database(uri)
        names(database)
    except ConfigError as error:
        return f"{error}{error.data}{error.__cause__}"
    except DatabaseError as error:
        return f"{error}{error.data}{error.__cause__}{database!r}{database.shown}"
    raise AssertionError("a server listens on port 1")


@pytest.mark.parametrize("name", ["we#ird?.db", "100%20.db", "naïve 日本.db"])
def test_any_path_is_taken_as_it_stands(tmp_path: Path, name: str) -> None:
    add(Database(f"sqlite:///{tmp_path / name}"), "a")
    assert (tmp_path / name).is_file()


def test_a_relative_path_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    add(Database("sqlite:///assay.db"), "a")
    assert (tmp_path / "assay.db").is_file()


@pytest.mark.parametrize(
    "uri",
    [
        *("", "assay.db", "mysql://u:hush@host/x", "sqlite://assay.db", "sqlite:///", "sqlite:////"),
        *("sqlite:///:memory:", "sqlite:///folder/", "postgresql://", "sqlite+pysqlite:///a.db"),
        *("https://u:hush@host/x", "file:///a.db"),
    ],
)
def test_another_uri_is_refused_with_examples(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"Use one of sqlite:////absolute") as caught:
        Database(uri)
    assert "hush" not in caught.value.message


@pytest.mark.parametrize(
    "password", ["hush", "HU@SH", "HU/SH", "HU:SH?", "HU#SH", "HU\nSH", "@HU@SH@", "%HU"]
)
def test_a_password_is_never_shown(password: str) -> None:
    encoded = quote(password, safe="")
    for uri in (
        f"postgresql://ada:{password}@127.0.0.1:1/x",
        f"postgres://ada:{encoded}@127.0.0.1:1/x?application_name=y",
        f"postgresql://127.0.0.1:1/x?user=ada&password={encoded}",
    ):
        told = shown_by(uri)
        assert "postgresql://" in told or "postgres://" in told
        assert [piece for piece in ("HU", "SH", "hush", encoded) if piece in told] == []


def test_an_option_that_postgresql_does_not_know_is_told() -> None:
    with pytest.raises(ConfigError, match="no URI that PostgreSQL reads"):
        names(Database("postgresql://ada:x@host/x?nonsense=1"))


def test_missing_psycopg_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'assay\[postgres\]'"):
        names(Database("postgresql://127.0.0.1/x"))

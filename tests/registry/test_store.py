import traceback
from pathlib import Path

import pytest

from assay.exceptions import RegistryError
from assay.registry import find_production
from assay.registry.store import parse_store
from tests.registry.conftest import registry_at


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("sqlite:////data/mlflow.db", "sqlite"),
        ("postgresql://host/db", "postgresql"),
        ("postgresql+psycopg2://host/db", "postgresql"),
        ("postgres://host/db", "postgresql"),
        ("http://host:5000", "http"),
        ("https://host/mlflow/", "http"),
    ],
)
def test_parse_store_tells_the_kind_by_the_scheme(uri: str, kind: str) -> None:
    assert parse_store(uri).kind == kind


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:////data/with%20space/mlflow.db", Path("/data/with space/mlflow.db")),
        ("sqlite:///relative/mlflow.db", Path("relative/mlflow.db")),
    ],
)
def test_sqlite_path_is_absolute_with_four_slashes_only(uri: str, path: Path) -> None:
    assert parse_store(uri).path == path


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "/data/mlruns", "file:///data/mlruns", ""])
def test_parse_store_refuses_folders_and_names_what_works(uri: str) -> None:
    with pytest.raises(RegistryError, match=r"is a folder of files.*sqlite:////absolute"):
        parse_store(uri)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:mlflow.db"])
def test_parse_store_refuses_sqlite_without_a_file(uri: str) -> None:
    with pytest.raises(RegistryError, match="names no file"):
        parse_store(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:hun@ter2@host/db",
        "postgresql://ann:hun/ter2@host/db",
        "postgresql://host/db?user=ann&password=hun@ter2",
        "postgresql://ann:ter2%zz@host/db",
        "http://ann:ter2/x@host",
        "http://ann:ter2#x@host",
    ],
)
def test_a_uri_of_which_libraries_would_quote_a_piece_is_refused_without_it(uri: str) -> None:
    with pytest.raises(RegistryError, match="Percent-encode what is special") as raised:
        find_production(uri)
    assert "ter2" not in "".join(traceback.format_exception(raised.value))
    assert "ter2" not in str(raised.value.data)


def test_a_word_alone_may_be_a_password_and_is_not_shown() -> None:
    with pytest.raises(RegistryError, match=r"^'\*\*\*' is a folder of files") as raised:
        parse_store("hunter2")
    assert "ter2" not in str(raised.value.data)


def test_parse_store_refuses_other_schemes_without_showing_the_password() -> None:
    with pytest.raises(RegistryError, match="is of no kind that Assay reads") as raised:
        parse_store("mysql://user:hunter2@host/db")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:hunter2@host/db",
        "https://ann:hunter2@host:5000",
        "postgresql://host/db?user=ann&password=hunter2",
        "https://ann:hun@ter2@host",
    ],
)
def test_stores_are_shown_without_credentials(uri: str, tmp_path: Path) -> None:
    for text in (parse_store(uri).shown, repr(parse_store(uri)), repr(registry_at(uri, tmp_path))):
        assert "ter2" not in text
        assert "host" in text


@pytest.mark.parametrize(
    "uri", ["sqlite:////data/mlflow.db", "sqlite:////a@b/x.db", "sqlite:///mlflow.db", "http://host:5000/x"]
)
def test_stores_without_credentials_are_shown_as_given(uri: str) -> None:
    assert parse_store(uri).shown == uri

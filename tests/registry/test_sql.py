import shutil
import sqlite3
import sys
from pathlib import Path

import psycopg
import pytest

from assay.exceptions import MissingExtra, RegistryError, RegistryUnavailable
from assay.registry import find_production
from assay.registry.sql import connect
from assay.registry.store import SCHEMA, parse_store
from tests.registry.conftest import Bench, registry_at
from tests.servers import free_port


def refuse_both(uri: str, home: Path, error: type[Exception], match: str) -> None:
    """Check that reading without MLflow and opening MLflow on it are refused with the same words."""
    with pytest.raises(error, match=match):
        find_production(uri)
    with pytest.raises(error, match=match):
        registry_at(uri, home).versions("SpamClassifier")
    with pytest.raises(error, match=match), registry_at(uri, home)._client.session():
        pass


def test_absent_database_says_how_to_make_one_and_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with pytest.raises(RegistryUnavailable, match=r"There is no registry at .*mlflow\.db yet.*assay train"):
        find_production(f"sqlite:///{path}")
    assert not path.exists()


def test_empty_registry_has_no_production_version(bench: Bench) -> None:
    assert find_production(bench.uri) == []


def test_reading_changes_nothing_on_disk(bench: Bench) -> None:
    path = Path(bench.uri.removeprefix("sqlite:///"))
    path.chmod(0o444)
    before = path.read_bytes()
    find_production(bench.uri)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["mlflow.db"]


def test_what_a_killed_writer_left_is_undone_by_whoever_reads_first(bench: Bench, tmp_path: Path) -> None:
    path, copy = Path(bench.uri.removeprefix("sqlite:///")), tmp_path / "killed" / "mlflow.db"
    copy.parent.mkdir()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 5")
    writer.execute("BEGIN IMMEDIATE")
    # The cache is too small for them: the file is half-written, as when a commit is cut off.
    for number in range(300):
        writer.execute(
            "INSERT INTO registered_models (name, workspace) VALUES (?, 'default')", (f"{number:999}",)
        )
    for each in ("mlflow.db", "mlflow.db-journal"):
        shutil.copy(path.with_name(each), copy.with_name(each))
    writer.close()
    assert copy.with_name("mlflow.db-journal").stat().st_size
    assert find_production(f"sqlite:///{copy}") == []
    assert not copy.with_name("mlflow.db-journal").exists()
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM registered_models").fetchone() == (0,)
    database.close()


def test_reading_cannot_write(bench: Bench) -> None:
    with (
        pytest.raises(RegistryUnavailable, match=r"cannot be read: .*readonly"),
        connect(parse_store(bench.uri), "read") as connection,
    ):
        connection.execute("DELETE FROM registered_models")


def test_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE people (name TEXT)")
    before = path.read_bytes()
    refuse_both(f"sqlite:///{path}", tmp_path, RegistryError, "is not a database of MLflow")
    assert path.read_bytes() == before


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_text("not a database at all, " * 100)
    refuse_both(f"sqlite:///{path}", tmp_path, RegistryError, "is not a database of MLflow")


def test_database_of_another_mlflow_is_refused_naming_the_pinned_one(bench: Bench) -> None:
    with sqlite3.connect(bench.uri.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'a1b2c3'")
    refuse_both(bench.uri, bench.home, RegistryError, r"schema 'a1b2c3'.*MLflow 3\.17.*mlflow db upgrade")


def test_pinned_schema_is_that_of_the_installed_mlflow() -> None:
    from mlflow.store.db.utils import _get_latest_schema_revision

    assert _get_latest_schema_revision() == SCHEMA


def test_locked_database_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.registry.sql.CONNECT_SECONDS", 0.1)
    with sqlite3.connect(bench.uri.removeprefix("sqlite:///")) as database:
        database.execute("BEGIN EXCLUSIVE")
        refuse_both(bench.uri, bench.home, RegistryUnavailable, "database is locked.*process that holds it")


def test_folder_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailable, match="There is no registry at"):
        find_production(f"sqlite:///{tmp_path}")


def test_dead_postgresql_is_unavailable_and_shows_no_password(tmp_path: Path) -> None:
    uri = f"postgresql://ann:hunter2@127.0.0.1:{free_port()}/db"
    for call in (lambda: find_production(uri), lambda: registry_at(uri, tmp_path).versions("SpamClassifier")):
        with pytest.raises(RegistryUnavailable, match="cannot be read") as raised:
            call()
        assert "hunter2" not in str(raised.value)


def test_postgresql_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        MissingExtra, match=r"A PostgreSQL store needs the package 'psycopg'.*assay\[postgres\]"
    ):
        find_production("postgresql://127.0.0.1/db")


def test_postgresql_database_of_something_else_is_refused(postgres_uri: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        server.execute("CREATE DATABASE people")
    uri = postgres_uri.removesuffix("/postgres") + "/people"
    with psycopg.connect(uri) as database:
        database.execute("CREATE TABLE people (name TEXT)")
    refuse_both(uri, tmp_path, RegistryError, "is not a database of MLflow")


def test_postgresql_database_of_another_mlflow_is_refused(postgres_uri: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_uri, autocommit=True) as server:
        server.execute("CREATE DATABASE older")
    uri = postgres_uri.removesuffix("/postgres") + "/older"
    with psycopg.connect(uri) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('a1b2c3')")
    refuse_both(uri, tmp_path, RegistryError, "schema 'a1b2c3'")


def test_database_path_may_hold_spaces(bench: Bench, tmp_path: Path) -> None:
    home = tmp_path / "my models"
    shutil.copytree(bench.home, home)
    bench.uri, bench.home = f"sqlite:///{home}/mlflow.db", home
    bench.__post_init__()
    bench.register()
    bench.promote("1")
    assert [each.number for each in find_production(bench.uri)] == ["1"]

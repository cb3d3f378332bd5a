"""MLflow's registry tables, read without MLflow: sqlite as a read-only file, PostgreSQL by psycopg."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from assay.exceptions import MissingExtra, RegistryError, RegistryUnavailable
from assay.registry.store import MLFLOW_RELEASE, SCHEMA, Store

CONNECT_SECONDS = 5
"""How long a locked file or a silent server is waited for."""

ENTRIES = """
SELECT v.name, v.version, v.current_stage, COALESCE(NULLIF(v.storage_location, ''), v.source),
       a.alias, t.key, t.value
FROM model_versions v
LEFT JOIN registered_model_aliases a
  ON a.workspace = v.workspace AND a.name = v.name AND a.version = v.version
LEFT JOIN model_version_tags t
  ON t.workspace = v.workspace AND t.name = v.name AND t.version = v.version AND t.key LIKE 'assay.%%'
WHERE v.workspace = 'default' AND v.current_stage <> 'Deleted_Internal' AND {condition}
ORDER BY v.name, v.version
"""
OF_MODEL = ENTRIES.format(condition="v.name = %s")
IN_PRODUCTION = ENTRIES.format(
    condition="""(v.name, v.version) IN
  (SELECT name, version FROM registered_model_aliases WHERE workspace = 'default' AND alias = %s)"""
)
MODELS = "SELECT name FROM registered_models WHERE workspace = 'default' ORDER BY name"
REVISION = "SELECT version_num FROM alembic_version"

Row = Sequence[Any]


class Cursor(Protocol):
    """What sqlite3 and psycopg connections have in common after ``execute``."""

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What sqlite3 and psycopg connections have in common."""

    def execute(self, query: str, values: Sequence[Any] = ..., /) -> Cursor: ...


def query(store: Store, statement: str, *values: str) -> list[Row]:
    """Return the rows of one statement (``%s`` for values) on a database of the pinned schema.

    Raises RegistryUnavailable when the database cannot be reached, RegistryError when it is not
    MLflow's or of another schema.
    """
    with connect(store) as connection:
        revisions = [row[0] for row in connection.execute(REVISION).fetchall()]
        if revisions != [SCHEMA]:
            raise wrong_schema(store, revisions)
        if store.kind == "sqlite":
            statement = statement.replace("%s", "?").replace("%%", "%")
        return connection.execute(statement, values).fetchall()


def check_database(store: Store) -> None:
    """Raise unless the database is MLflow's of the pinned schema, or empty or absent for it to fill."""
    if store.kind == "sqlite" and not (store.path.exists() and store.path.stat().st_size):
        return
    with connect(store) as connection:
        if not connection.execute(_tables(store)).fetchall():
            return
    query(store, MODELS)


def wrong_schema(store: Store, revisions: list[str]) -> RegistryError:
    """Return the error for a database of another MLflow."""
    return RegistryError(
        f"The database {store.shown} has schema {', '.join(revisions) or 'none'!r}; Assay works with MLflow "
        f"{MLFLOW_RELEASE}, whose schema is {SCHEMA!r}. After a backup, bring it there with: "
        f"mlflow db upgrade {store.shown}",
        revisions=revisions,
    )


@contextmanager
def connect(store: Store) -> Iterator[Connection]:
    """Open the database for reading and name its faults as registry errors."""
    with _sqlite(store) if store.kind == "sqlite" else _postgresql(store) as connection:
        yield connection


@contextmanager
def _sqlite(store: Store) -> Iterator[Connection]:
    path = store.path.absolute()
    if not path.is_file():
        raise RegistryUnavailable(
            f"There is no registry at {store.shown} yet. Train and promote a model "
            "(assay train NAME --promote), or name another store in ASSAY_TRACKING_URI.",
            uri=store.shown,
        )
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=CONNECT_SECONDS)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            raise _not_mlflow(store, str(error)) from error
        raise unreadable(store, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise _not_mlflow(store, str(error)) from error


@contextmanager
def _postgresql(store: Store) -> Iterator[Connection]:
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("A PostgreSQL store", package="psycopg", extra="postgres") from error
    try:
        with psycopg.connect(store.for_psycopg, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise _not_mlflow(store, str(error).splitlines()[0]) from error
    except psycopg.Error as error:
        raise unreadable(store, str(error).strip()) from error


def unreadable(store: Store, reason: str) -> RegistryUnavailable:
    """Return the error for a store that does not answer, with what to look at."""
    advice = (
        "Wait for the process that holds it, then try again."
        if "locked" in reason
        else "Check that it runs and that you may read it."
    )
    return RegistryUnavailable(
        f"The registry {store.shown} cannot be read: {reason}. {advice}", uri=store.shown
    )


def _not_mlflow(store: Store, reason: str) -> RegistryError:
    return RegistryError(
        f"{store.shown} is not a database of MLflow ({reason}). Name MLflow's own store "
        "in ASSAY_TRACKING_URI, or a file that does not exist yet.",
        uri=store.shown,
    )


def _tables(store: Store) -> str:
    if store.kind == "sqlite":
        return "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1"
    return "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LIMIT 1"

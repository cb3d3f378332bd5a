"""MLflow's registry tables without MLflow: sqlite as a file, PostgreSQL by psycopg."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from assay.exceptions import MissingExtra, RegistryError, RegistryUnavailable
from assay.registry.store import MLFLOW_RELEASE, SCHEMA, Store, unreadable_uri

CONNECT_SECONDS = 5
"""How long a locked file or a silent server is waited for."""

ENTRIES = """
SELECT v.name, v.version, v.current_stage, COALESCE(NULLIF(v.storage_location, ''), v.source),
       COALESCE(v.run_id, ''), v.creation_time, a.alias, t.key, t.value
FROM model_versions v
LEFT JOIN registered_model_aliases a
  ON a.workspace = v.workspace AND a.name = v.name AND a.version = v.version
LEFT JOIN model_version_tags t
  ON t.workspace = v.workspace AND t.name = v.name AND t.version = v.version
WHERE v.workspace = 'default' AND v.current_stage <> 'Deleted_Internal' AND {condition}
ORDER BY v.name, v.version
"""
OF_MODEL = ENTRIES.format(condition="v.name = %s")
OF_ALL = ENTRIES.format(condition="1 = 1")
IN_PRODUCTION = ENTRIES.format(
    condition="""(v.name, v.version) IN
  (SELECT name, version FROM registered_model_aliases WHERE workspace = 'default' AND alias = %s)"""
)
MODELS = "SELECT name FROM registered_models WHERE workspace = 'default' ORDER BY name"
MODEL_TAGS = "SELECT key, value FROM registered_model_tags WHERE workspace = 'default' AND name = %s"
TAGGED = """
SELECT t.name, t.version, t.value FROM model_version_tags t
JOIN model_versions v ON v.workspace = t.workspace AND v.name = t.name AND v.version = t.version
WHERE t.workspace = 'default' AND t.key = %s AND v.current_stage <> 'Deleted_Internal'
ORDER BY t.name, t.version
"""
REVISION = "SELECT version_num FROM alembic_version"

BEGIN = {
    "sqlite": ("PRAGMA foreign_keys = ON", "BEGIN IMMEDIATE"),
    "postgresql": ("BEGIN", f"SET LOCAL lock_timeout = '{CONNECT_SECONDS}s'"),
}

Purpose = Literal["read", "write"]
PARTICIPLE: dict[Purpose, str] = {"read": "read", "write": "written"}

Row = Sequence[Any]


class Cursor(Protocol):
    """What sqlite3 and psycopg connections have in common after ``execute``."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What sqlite3 and psycopg connections have in common."""

    def execute(self, query: str, values: Sequence[Any] = ..., /) -> Cursor: ...


class Session:
    """A database of the pinned schema, open for reading or inside one transaction."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.kind = store.kind
        self._connection = connection
        revisions = [row[0] for row in self.run(REVISION)]
        if revisions != [SCHEMA]:
            raise wrong_schema(store, revisions)

    def run(self, statement: str, *values: str | int | None) -> list[Row]:
        """Return the rows of one statement, which has ``%s`` for each value."""
        if self.kind == "sqlite":
            statement = statement.replace("%s", "?")
        cursor = self._connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def query(store: Store, statement: str, *values: str) -> list[Row]:
    """Return the rows of one statement (``%s`` for values) on a database of the pinned schema.

    Raises RegistryUnavailable when the database cannot be reached, RegistryError when it is not
    MLflow's or of another schema.
    """
    with reading(store) as session:
        return session.run(statement, *values)


@contextmanager
def reading(store: Store) -> Iterator[Session]:
    """Open the database for reading; the errors are those of ``query``."""
    with connect(store, "read") as connection:
        yield Session(store, connection)


@contextmanager
def writing(store: Store) -> Iterator[Session]:
    """Open one transaction: committed when the block ends, rolled back when it breaks.

    It waits up to 5 s for whoever else writes. The errors are those of ``query``.
    """
    with connect(store, "write") as connection:
        # sqlite takes the write lock at once: what is read inside is what is written over.
        for statement in BEGIN[store.kind]:
            connection.execute(statement)
        yield Session(store, connection)
        # Closing undoes what was not committed, so an error above needs no statement.
        connection.execute("COMMIT")


def is_new(store: Store) -> bool:
    """Return whether the database is absent or empty, for MLflow to fill."""
    if store.kind == "http":
        return False
    if store.kind == "sqlite" and not (store.path.exists() and store.path.stat().st_size):
        return True
    with connect(store, "read") as connection:
        return not connection.execute(_tables(store)).fetchall()


def check_database(store: Store) -> None:
    """Raise unless the database is MLflow's of the pinned schema, or empty or absent for it to fill."""
    if not is_new(store):
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
def connect(store: Store, purpose: Purpose) -> Iterator[Connection]:
    """Open the database and name its faults as registry errors; transactions are the caller's to begin."""
    open_it = _sqlite if store.kind == "sqlite" else _postgresql
    with open_it(store, purpose) as connection:
        yield connection


@contextmanager
def _sqlite(store: Store, purpose: Purpose) -> Iterator[Connection]:
    path = store.path.absolute()
    if not path.is_file():
        raise RegistryUnavailable(
            f"There is no registry at {store.shown} yet. Train and promote a model "
            "(assay train NAME --promote), or name another store in ASSAY_TRACKING_URI.",
            uri=store.shown,
        )
    try:
        # Not mode=ro: whoever reads first after a kill in the middle of a commit undoes it from the journal.
        # A file or folder that may not be written is opened for reading all the same.
        uri = f"{path.as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=CONNECT_SECONDS, isolation_level=None)
        try:
            if purpose == "read":
                connection.execute("PRAGMA query_only = ON")
            yield connection
        finally:
            connection.close()
    except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
        if "no such table" in str(error):
            raise _not_mlflow(store, str(error)) from error
        raise unreadable(store, str(error), purpose) from error
    except sqlite3.DatabaseError as error:
        raise _not_mlflow(store, str(error)) from error


@contextmanager
def _postgresql(store: Store, purpose: Purpose) -> Iterator[Connection]:
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("A PostgreSQL store", package="psycopg", extra="postgres") from error
    try:
        psycopg.conninfo.conninfo_to_dict(store.for_psycopg)
    except psycopg.Error:
        raise unreadable_uri(store) from None
    try:
        with psycopg.connect(
            store.for_psycopg, connect_timeout=CONNECT_SECONDS, autocommit=True
        ) as connection:
            connection.read_only = purpose == "read"
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise _not_mlflow(store, str(error).splitlines()[0]) from error
    except psycopg.Error as error:
        raise unreadable(store, str(error).strip(), purpose) from error


def unreadable(store: Store, reason: str, purpose: Purpose = "read") -> RegistryUnavailable:
    """Return the error for a store that does not answer, with what to look at."""
    advice = f"Check that it runs and that you may {purpose} it."
    if "lock" in reason:
        advice = "Wait for the process that holds it, then try again."
    elif "full" in reason:
        advice = "Free the disk that it is on, then try again."
    elif purpose == "read" and "readonly" in reason:
        advice = (
            "A command was killed while it wrote, and the next one undoes that: "
            "run assay doctor as a user who may write the file and its folder."
        )
    return RegistryUnavailable(
        f"The registry {store.shown} cannot be {PARTICIPLE[purpose]}: {reason}. {advice}", uri=store.shown
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

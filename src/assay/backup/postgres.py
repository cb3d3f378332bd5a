"""PostgreSQL databases, dumped and brought back by its own tools; no password on a command line."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.exceptions import BackupError, MissingExtra
from assay.notation import without_credentials

CONNECT_SECONDS = 5
TABLES = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'S') ORDER BY 1"
)
INSTALL = (
    "Install PostgreSQL's client programs, of the server's version or a newer one "
    "(Debian: apt-get install postgresql-client)."
)


def dump(uri: str, target: Path, *, snapshot: str = "") -> str:
    """Write the schema that a database's URI means into a file of pg_dump's own format; return its name.

    ``snapshot`` is an exported state that it is read in. Raises BackupError.
    """
    schema = schema_of(uri)
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--schema={_quoted(schema)}"]
    command += [f"--snapshot={snapshot}"] if snapshot else []
    _run([*command, f"--file={target}"], uri)
    return schema


def restore(uri: str, dumped: Path, *, schema: str) -> None:
    """Bring a dump into an empty schema, all of it or nothing. Raises BackupError."""
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run(["pg_restore", *options, f"--schema={schema}", str(dumped)], uri)


def check_dump(dumped: Path, *, named: str) -> None:
    """Raise BackupError unless pg_restore can read a dump to its end."""
    try:
        _run(["pg_restore", "--file=/dev/null", str(dumped)], "")
    except BackupError as error:
        raise BackupError(f"The dump of {named} is damaged: {error.message}") from error


def schema_of(uri: str) -> str:
    """Return the schema that new tables of a database get. Raises BackupError."""
    with _connected(uri) as connection:
        return str(connection.execute("SELECT current_schema()").fetchone()[0])


def tables_of(uri: str) -> list[str]:
    """Return the names of the schema's tables. Raises BackupError."""
    with _connected(uri) as connection:
        return [str(row[0]) for row in connection.execute(TABLES).fetchall()]


def same_database(one: str, other: str) -> bool:
    """Return whether two URIs mean the same schema of the same database."""
    return _parts(one) == _parts(other)


@contextmanager
def _connected(uri: str) -> Iterator[Any]:
    import psycopg

    try:
        parts = {"connect_timeout": CONNECT_SECONDS, **_parts(uri)}
        with psycopg.connect(**parts, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise BackupError(f"{without_credentials(uri)} cannot be used: {_line(str(error))}.") from error


def _run(command: list[str], uri: str) -> None:
    environment, name = dict(os.environ), command[0]
    if uri:
        parts = _parts(uri)
        # Others may read command lines; an environment is for this account alone.
        environment["PGPASSWORD"] = str(parts.pop("password", os.environ.get("PGPASSWORD", "")))
        environment.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_SECONDS))
        command = [*command, f"--dbname={_conninfo(parts)}"]
    try:
        subprocess.run(
            command, env=environment, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BackupError(f"There is no program {name!r} here. {INSTALL}") from error
    except subprocess.CalledProcessError as error:
        advice = f" {INSTALL}" if "version mismatch" in error.stderr else ""
        where = f" {without_credentials(uri)}" if uri else ""
        raise BackupError(f"{name} failed{where}: {_line(error.stderr)}.{advice}") from error


def _parts(uri: str) -> dict[str, Any]:
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("A PostgreSQL database", package="psycopg", extra="postgres") from error
    rest = uri.partition("://")[2]
    return dict(psycopg.conninfo.conninfo_to_dict(f"postgresql://{rest}"))


def _conninfo(parts: dict[str, Any]) -> str:
    import psycopg

    return str(psycopg.conninfo.make_conninfo(**parts))


def _quoted(name: str) -> str:
    """Return a name as pg_dump's patterns take it, without special characters."""
    return '"' + name.replace('"', '""') + '"'


def _line(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(".")

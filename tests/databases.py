"""People's databases for tests, and processes of their own that use one."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from assay import database as module
from assay.database import Connection, Database
from assay.migrations import MIGRATIONS, Migration

Step = Callable[[Connection], object]

NUMBERS = count(1)
PATIENCE_SECONDS = 60

KEEPING = """
import sys
from assay.database import Database
database = Database(sys.argv[1])
def tell(word):
    print(word, flush=True)
    return sys.stdin.readline().strip()
"""


def own_schema(uri: str) -> str:
    """Return the URI of an empty schema in a PostgreSQL database."""
    name = f"assay_{next(NUMBERS)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{uri}?options=-csearch_path%3D{name}"


@contextmanager
def beside(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process beside the block; it is killed at the end unless it has ended.

    The script has ``database``, of the first argument; ``tell`` says a word and returns the answer.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPING + script, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def hear(process: subprocess.Popen[str], word: str) -> None:
    """Wait until a process says a word."""
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word


def answer(process: subprocess.Popen[str], word: str = "") -> None:
    """Let a process that has told something go on."""
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a process and return its exit code."""
    return process.wait(PATIENCE_SECONDS)


def path_of(uri: str) -> Path:
    """Return the file of an SQLite database."""
    return Path(uri.removeprefix("sqlite:///"))


def names(database: Database) -> list[str]:
    """Return the names in the table of locks, which stands for any table."""
    with database.reading() as connection:
        return [row[0] for row in connection.execute("SELECT name FROM locks ORDER BY name").fetchall()]


def insert(*rows: str, holder: str = "") -> Step:
    """Return the step that writes rows, by their names."""

    def step(connection: Connection) -> None:
        for name in rows:
            connection.execute(
                "INSERT INTO locks (name, holder, since) VALUES (%s, %s, %s)", (name, holder, "")
            )

    return step


def write(database: Database, *steps: Step) -> None:
    """Take steps in one transaction."""
    with database.writing() as connection:
        for step in steps:
            step(connection)


def add(database: Database, name: str) -> None:
    """Write one row."""
    write(database, insert(name))


def hold(database: Database, name: str, *steps: Callable[[], object], holder: str = "bob") -> None:
    """Take steps while a lock is held."""
    with database.lock(name, holder=holder):
        for step in steps:
            step()


def applied(database: Database) -> list[tuple[int, str]]:
    """Return the migrations that a database has had."""
    with database.reading() as connection:
        return connection.execute("SELECT number, name FROM migrations ORDER BY number").fetchall()


@contextmanager
def newer(*steps: Migration) -> Iterator[None]:
    """Let a newer Assay, of these further steps, be the one that runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", (*MIGRATIONS, *steps))
        yield


def fail(*_: object) -> None:
    """Fail in a way of its own."""
    raise ZeroDivisionError

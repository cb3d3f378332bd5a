"""The people's database, on SQLite or PostgreSQL, by one set of statements."""

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from assay.exceptions import ConfigError, DatabaseError, LockHeld, MissingExtra
from assay.migrations import MIGRATIONS, Migration
from assay.notation import is_misread, without_credentials

WAIT_SECONDS = 5
"""How long a silent server, and a write lock that another process holds, is waited for."""

# Columns are named wherever rows are written: a newer Assay may have added others.
TAKEN = "INSERT INTO locks (name, holder, since) VALUES (%s, %s, %s)"
APPLIED = "INSERT INTO migrations (number, name, applied_at) VALUES (%s, %s, %s)"
NEEDS = "UPDATE migrations SET needs = %s WHERE number = %s"
BEYOND = "SELECT number FROM migrations WHERE coalesce(needs, number) > %s"

EXAMPLES = "sqlite:////absolute/path/assay.db, postgresql://user:password@host/database"


@dataclass(frozen=True)
class Cursor:
    """The rows that a statement returned."""

    rows: list[tuple[Any, ...]]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows as tuples; none for a statement that returns no rows."""
        return self.rows


@dataclass(frozen=True)
class Connection:
    """An open connection of either kind."""

    raw: Any
    kind: "_Sqlite | _Postgresql"

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Cursor:
        """Run one statement: ``%s`` stands for a value, ``%%`` for a percent sign. Raises DatabaseError."""
        return Cursor(self.kind.execute(self.raw, sql, tuple(values)))


class Database:
    """The people's database: SQLite or PostgreSQL, brought to the newest migration when it is first used."""

    def __init__(self, uri: str) -> None:
        """Parse ``sqlite:///PATH`` or ``postgresql://...``; nothing is opened.

        The path stands as it is, without percent-encoding. Raises ConfigError for any other URI.
        """
        self._kind = _parse(uri)

    @property
    def shown(self) -> str:
        """The URI without credentials, for messages."""
        return self._kind.shown

    def __repr__(self) -> str:
        return f"Database({self.shown!r})"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Hand out a connection that reads one state of the database. Raises DatabaseError."""
        with self._transaction(self._kind.reads) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Hand out the one transaction that writes now: kept at the end, undone by an error.

        Raises DatabaseError, also when another process writes for longer than WAIT_SECONDS.
        """
        with self._transaction(self._kind.writes) as connection:
            yield connection
            # Closing undoes what was not committed, so an error above needs no statement.
            connection.execute("COMMIT")

    def steps(self) -> tuple[int, int]:
        """Return the numbers of the newest migration that it has had, and of the newest known here."""
        with self.reading() as connection:
            [(newest,)] = connection.execute("SELECT max(number) FROM migrations").fetchall()
        return newest, MIGRATIONS[-1].number

    @contextmanager
    def lock(self, name: str, *, holder: str) -> Iterator[None]:
        """Hold a name that one process at a time may hold; it ends with its process, however that dies.

        What holds is a lock of the operating system or of the server's session; the row in ``locks``
        only says who it is. Raises LockHeld at once when somebody else has it, else DatabaseError.
        """
        with self._kind.hold(name) as held:
            if not held:
                raise self._held_by_another(name)
            row = (name, holder, datetime.now(UTC).isoformat(timespec="seconds"))
            with self.writing() as connection:
                connection.execute("DELETE FROM locks WHERE name = %s", (name,))
                connection.execute(TAKEN, row)
            try:
                yield
            finally:
                # A row that stays behind harms nobody: the next holder writes over it.
                with suppress(DatabaseError), self.writing() as connection:
                    mine = "name = %s AND holder = %s AND since = %s"
                    connection.execute(f"DELETE FROM locks WHERE {mine}", row)  # noqa: S608

    def _held_by_another(self, name: str) -> LockHeld:
        rows, query = [], "SELECT holder, since FROM locks WHERE name = %s"
        # That it is held is known; by whom is told where it can be read.
        with suppress(DatabaseError), self.reading() as connection:
            rows = connection.execute(query, (name,)).fetchall()
        holder, since = rows[0] if rows else ("another process", "just now")
        return LockHeld(
            f"{name!r} is held by {holder} since {since}; nothing was changed. Try again when that is done.",
            name=name,
            holder=holder,
            since=since,
        )

    @contextmanager
    def _transaction(self, beginning: tuple[str, ...], *, ready: bool = False) -> Iterator[Connection]:
        with self._kind.connect() as raw:
            connection = Connection(raw, self._kind)
            if not ready and self._pending(connection):
                self._migrate()
            for statement in beginning:
                connection.execute(statement)
            yield connection

    def _migrate(self) -> None:
        for migration in MIGRATIONS:
            with self._transaction(self._kind.writes, ready=True) as connection:
                # Another process may have been first while this one waited.
                if migration in self._pending(connection):
                    for statement in getattr(migration, self._kind.dialect):
                        connection.execute(statement)
                    row = (migration.number, migration.name, datetime.now(UTC).isoformat(timespec="seconds"))
                    connection.execute(APPLIED, row)
                    if migration.needs is not None:
                        connection.execute(NEEDS, (migration.needs, migration.number))
                connection.execute("COMMIT")

    def _pending(self, connection: Connection) -> list[Migration]:
        tables = sorted(row[0] for row in connection.execute(self._kind.tables).fetchall())
        if "migrations" not in tables:
            if tables and self._kind.dialect == "sqlite":
                raise DatabaseError(
                    f"{self.shown} is the database of another program: it has the tables {tables[:5]} and no "
                    "'migrations'. Name a file of its own in ASSAY_DATABASE.",
                    uri=self.shown,
                )
            return list(MIGRATIONS)
        applied = connection.execute("SELECT number, name FROM migrations ORDER BY number").fetchall()
        known = [(each.number, each.name) for each in MIGRATIONS]
        unknown = [step for step in applied if step not in known]
        if unknown and not _goes_on(connection, unknown, known[-1][0]):
            raise DatabaseError(
                f"The people's database {self.shown} has the migration {unknown[-1]}, and this Assay knows "
                f"up to {known[-1]}: a newer Assay has changed it so that this one cannot use it. Update "
                "Assay, restore the backup from before (assay restore), or name another database in "
                "ASSAY_DATABASE.",
                unknown=unknown,
            )
        return [each for each, step in zip(MIGRATIONS, known, strict=True) if step not in applied]


def _goes_on(connection: Connection, unknown: Sequence[tuple[int, str]], last: int) -> bool:
    """Return whether all unknown steps are newer, and need none that this Assay does not know."""
    return unknown[0][0] > last and not connection.execute(BEYOND, (last,)).fetchall()


def _parse(uri: str) -> "_Sqlite | _Postgresql":
    scheme, _, rest = uri.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and rest[1:] and not rest.endswith(("/", ":memory:")):
        return _Sqlite(Path(rest[1:]))
    if scheme in ("postgresql", "postgres") and rest:
        if is_misread(uri):
            raise _unreadable(uri)
        return _Postgresql(f"postgresql://{rest}")
    raise ConfigError(
        f"{without_credentials(uri)!r} names no database that Assay can use. Use one of {EXAMPLES}."
    )


def _unreadable(uri: str) -> ConfigError:
    return ConfigError(
        f"{without_credentials(uri)!r} is no URI that PostgreSQL reads. Percent-encode what is special in "
        "user and password (@ as %40, / as %2F, : as %3A, ? as %3F)."
    )


BUSY = (
    f"Another process has been using it for over {WAIT_SECONDS} seconds, and nothing was changed. "
    "Try again; if this stays so, look for that process."
)
DISK = "Nothing was changed. Make room on its disk, or see what the system's log says of it, then try again."
NOT_WRITABLE = "Make the file and its folder writable for this user; the journal is written beside the file."
NOT_SQLITE = "Restore the file from a backup, or name another database in ASSAY_DATABASE."
ONLY_READS = "A server that only reads, like a standby, cannot be used; name the primary in ASSAY_DATABASE."
RIGHTS = "Grant the user of ASSAY_DATABASE the right to create, read and write the tables of its schema."
ELSEWHERE = "Check that it runs, that ASSAY_DATABASE names it, and that its user may connect."
ADVICE: dict[str, tuple[int | str, ...]] = {
    BUSY: (sqlite3.SQLITE_BUSY, "55P03"),
    DISK: (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, "53"),
    NOT_WRITABLE: (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    NOT_SQLITE: (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT),
    ONLY_READS: ("25006",),
    RIGHTS: ("42501", "3F"),
    ELSEWHERE: ("", "08", "28", "3D", "57"),
}
"""What to do, and the codes of SQLite and classes or codes of PostgreSQL's SQLSTATE that it goes with."""


def _unusable(shown: str, error: Exception, *codes: int | str, note: str = "") -> DatabaseError:
    told = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    reason = " ".join(told.split()).rstrip(".?")
    advice = next((advice for advice, known in ADVICE.items() if {*codes} & {*known}), "")
    message = f"The people's database {shown} cannot be used: {reason}. {note}{advice}"
    return DatabaseError(message.rstrip(), uri=shown)


@dataclass(frozen=True)
class _Sqlite:
    # A rollback journal, not WAL: one file to back up, also on a network disk; a few writes a day.
    path: Path
    dialect: ClassVar[str] = "sqlite"
    tables: ClassVar[str] = "SELECT name FROM sqlite_master WHERE type = 'table'"
    reads: ClassVar[tuple[str, ...]] = ("PRAGMA query_only = ON", "BEGIN")
    writes: ClassVar[tuple[str, ...]] = ("BEGIN IMMEDIATE",)

    @property
    def shown(self) -> str:
        return f"sqlite:///{self.path}"

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            raw = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self.shown, error, sqlite3.SQLITE_CANTOPEN) from error
        try:
            # Bytes that are no text must reach the check of the audit log, which names their entry.
            raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            # EXTRA is FULL and the folder: a power cut after the commit cannot bring the journal back.
            self.execute(raw, "PRAGMA synchronous = EXTRA")
            yield raw
        finally:
            raw.close()

    def execute(self, raw: sqlite3.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return raw.execute(sql.replace("%s", "?").replace("%%", "%"), values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise _unusable(self.shown, error, getattr(error, "sqlite_errorcode", 0) & 0xFF) from error

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        # Beside the file itself, as its journal is: whoever names a link to it meets the same lock.
        file = self.path.resolve()
        path = file.with_name(f"{file.name}.{digest}.lock")
        with ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context(path.open("ab")), fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken = True
            except BlockingIOError:
                taken = False
            except OSError as error:
                raise _unusable(self.shown, error, sqlite3.SQLITE_CANTOPEN) from error
            yield taken


# A key for a name in a schema: two Assays in one database leave each other's locks alone.
WRITES = "' writes'"
KEY = "hashtextextended('assay ' || current_schema() || %s, 0)"
SESSION = """SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES
  ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '30'),
  ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')) AS wanted(name, value) USING (name)"""


@dataclass(frozen=True)
class _Postgresql:
    uri: str
    dialect: ClassVar[str] = "postgresql"
    tables: ClassVar[str] = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    reads: ClassVar[tuple[str, ...]] = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    writes: ClassVar[tuple[str, ...]] = (
        # READ COMMITTED: what is read after the wait is what the writer before has left.
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'",
        f"SELECT pg_advisory_xact_lock({KEY.replace('%s', WRITES)})",
    )

    @property
    def shown(self) -> str:
        return without_credentials(self.uri)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        try:
            import psycopg
        except ImportError as error:
            raise MissingExtra("A PostgreSQL database", package="psycopg", extra="postgres") from error
        try:
            parts = psycopg.conninfo.conninfo_to_dict(self.uri)
        except psycopg.Error:
            # What libpq says about a URI quotes its parts, the password among them.
            raise _unreadable(self.uri) from None
        settings: dict[str, Any] = {"connect_timeout": WAIT_SECONDS, "tcp_user_timeout": 10_000, **parts}
        try:
            # No prepared statements: a pooler may hand out another session for each transaction.
            raw = psycopg.connect(**settings, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise _unusable(self.shown, error, "") from error
        try:
            yield raw
        finally:
            raw.close()

    def execute(self, raw: Any, sql: str, values: tuple[Any, ...]) -> list[Any]:
        import psycopg

        try:
            cursor = raw.execute(sql, values)
            return cursor.fetchall() if cursor.description else []
        except (psycopg.Error, UnicodeError) as error:
            gone = isinstance(error, psycopg.OperationalError)
            state = getattr(error, "sqlstate", None) or ("" if gone else "none")
            unsure = "The change may have been kept or not: look before you try again. "
            note = unsure if sql == "COMMIT" else ""
            raise _unusable(self.shown, error, state, state[:2], note=note) from error

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        with self.connect() as raw:
            session = Connection(raw, self)
            # A session that holds a lock is not ended for idling, and ends soon when its machine is gone.
            session.execute(SESSION)
            taken = session.execute(f"SELECT pg_try_advisory_lock({KEY})", (f" lock {name}",)).fetchall()
            try:
                yield bool(taken[0][0])
            except BaseException:
                with suppress(DatabaseError):
                    session.execute("SELECT pg_advisory_unlock_all()")
                raise
            try:
                session.execute("SELECT pg_advisory_unlock_all()")
            except DatabaseError as error:
                raise DatabaseError(
                    f"The lock {name!r} was lost while it was held: somebody else may have changed the same "
                    f"thing meanwhile. Look at it before you go on. {error.message}",
                    name=name,
                ) from error

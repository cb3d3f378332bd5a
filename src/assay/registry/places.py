"""Where the registry's tables name files of a machine: found for a backup, moved by a restore."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.registry import sql
from assay.registry.fetching import local_folder
from assay.registry.store import parse_store
from assay.registry.versions import Version, read_versions

PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow that name files by a path or an URI."""

HELD = PLACES[1:]
"""Those that name what belongs to one run, model or version; an experiment's is the folder of its runs."""

BEGIN_READING = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


@dataclass(frozen=True)
class Inventory:
    """What one state of a registry names.

    ``sources`` are the places of files, as MLflow writes them, and ``experiments`` the folders in which runs
    get theirs; ``snapshot`` is what ``pg_dump --snapshot`` takes to see this very state, empty for SQLite.
    """

    versions: tuple[Version, ...]
    sources: tuple[str, ...]
    experiments: tuple[str, ...]
    snapshot: str = ""


@contextmanager
def inventory_of(uri: str) -> Iterator[Inventory]:
    """Hand out what a registry in a database names; its state can be dumped while the block runs.

    Raises RegistryUnavailable, RegistryError.
    """
    store = parse_store(uri)
    with sql.connect(store, "read") as connection:
        connection.execute(BEGIN_READING[store.kind])
        session = sql.Session(store, connection)
        snapshot = ""
        if store.kind == "postgresql":
            snapshot = str(session.run("SELECT pg_export_snapshot()")[0][0])
        versions = read_versions(session)
        yield Inventory(versions, _named(session, HELD), _named(session, PLACES[:1]), snapshot)


def move_sources(uri: str, moves: dict[str, str]) -> int:
    """Let a registry name files by other paths, in one transaction; return how many entries changed.

    ``moves`` maps absolute folders to those that hold their files now. Raises RegistryUnavailable,
    RegistryError.
    """
    changed = 0
    with sql.writing(parse_store(uri)) as session:
        for table, column in PLACES:
            rows = session.run(f"SELECT DISTINCT {column} FROM {table}")  # noqa: S608
            for (value,) in rows:
                moved = moved_source(str(value or ""), moves)
                if moved is not None and moved != value:
                    update = f"UPDATE {table} SET {column} = %s WHERE {column} = %s"  # noqa: S608
                    session.run(update, moved, value)
                    changed += 1
    return changed


def _named(session: sql.Session, places: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    queries = [f"SELECT DISTINCT {column} FROM {table}" for table, column in places]  # noqa: S608
    return tuple(sorted({str(row[0]) for query in queries for row in session.run(query) if row[0]}))


def moved_source(source: str, moves: dict[str, str]) -> str | None:
    """Return where a source is after a move of folders, written as it was; None where none of them has it."""
    folder = local_folder(source)
    if folder is None:
        return None
    for old in sorted(moves, key=len, reverse=True):
        if folder == Path(old) or Path(old) in folder.parents:
            new = Path(moves[old]) / folder.relative_to(old)
            return new.as_uri() if source.startswith("file:") else str(new)
    return None

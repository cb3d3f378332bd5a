"""Both databases in one state: the registry's first, so that the audit log has all that it names."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from assay.audit import AuditLog
from assay.backup import postgres, sqlite
from assay.backup.manifest import PEOPLE, REGISTRY, KeptAudit, KeptDatabase, Part
from assay.database import Database
from assay.exceptions import BackupError
from assay.registry import Inventory, Registry, inventory_of, parse_store
from assay.settings import Settings

TRIES = 5
"""How often both are taken anew because somebody changed a seat or a key between the two."""


@dataclass
class Taken:
    """Dumps in a folder of temporary files, and what they hold."""

    registry: KeptDatabase | None = None
    inventory: Inventory | None = None
    people: KeptDatabase | None = None
    audit: KeptAudit | None = None
    faults: tuple[str, ...] = ()


def take_databases(settings: Settings, without: tuple[Part, ...], folder: Path) -> Taken:
    """Dump the databases that are there as the files ``registry`` and ``people`` of a folder.

    Raises BackupError, RegistryError, DatabaseError.
    """
    for _ in range(TRIES):
        taken, before = Taken(), _head(settings, without)
        if "registry" not in without:
            _take_registry(settings, folder / REGISTRY, taken)
        if "people" not in without:
            _take_people(settings, folder, taken)
        # Equal heads: no seat and no key changed hands between the two, and nobody's log is ahead.
        if _head(settings, without) == before:
            _audit(settings, folder, taken)
            return taken
    raise BackupError(
        f"Seats or keys changed {TRIES} times while the databases were copied; no backup was made. Try again."
    )


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a people's database, None for PostgreSQL."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def store_uri(path: Path) -> str:
    """Return the URI of a registry in an SQLite file."""
    return f"sqlite:///{quote(str(path))}"


def _take_registry(settings: Settings, target: Path, taken: Taken) -> None:
    store = parse_store(settings.store)
    if store.kind == "http":
        raise BackupError(
            f"The registry {store.shown} is an MLflow server, whose database and files are on its machine. "
            "Back it up there: ASSAY_TRACKING_URI names its database (--backend-store-uri), --artifacts its "
            "folder (--artifacts-destination). Here, leave it out: --without registry --without artifacts"
        )
    if store.kind == "sqlite":
        if not store.path.exists():
            # A job with a wrong ASSAY_HOME must not make backups of nothing and delete the good ones.
            raise BackupError(
                f"There is no registry at {store.shown}, so no backup was made. Name the home folder in "
                "ASSAY_HOME; where there is none, say --without registry --without artifacts."
            )
        target.unlink(missing_ok=True)
        sqlite.snapshot(store.path, target)
        with inventory_of(store_uri(target)) as inventory:
            taken.inventory = inventory
        taken.registry = KeptDatabase(kind="sqlite", shown=store.shown)
        return
    with inventory_of(settings.store) as inventory:
        schema = postgres.dump(settings.store, target, snapshot=inventory.snapshot)
        taken.inventory = inventory
    taken.registry = KeptDatabase(kind="postgresql", shown=store.shown, schema_name=schema)


def _take_people(settings: Settings, folder: Path, taken: Taken) -> None:
    shown, path, target = Database(settings.people).shown, sqlite_path(settings.people), folder / PEOPLE
    if path is not None:
        if path.exists():
            target.unlink(missing_ok=True)
            sqlite.snapshot(path, target)
            taken.people = KeptDatabase(kind="sqlite", shown=shown)
        return
    one = taken.registry is not None and taken.registry.kind == "postgresql"
    if one and postgres.same_database(settings.store, settings.people):
        # One schema holds both: one dump is both, and comes back once.
        target.unlink(missing_ok=True)
        target.hardlink_to(folder / REGISTRY)
        taken.people = taken.registry
        return
    schema = postgres.dump(settings.people, target)
    taken.people = KeptDatabase(kind="postgresql", shown=shown, schema_name=schema)


def _audit(settings: Settings, folder: Path, taken: Taken) -> None:
    if taken.people is None:
        return
    own = taken.people.kind == "sqlite"
    database = Database(f"sqlite:///{folder / PEOPLE}" if own else settings.people)
    if taken.registry is None:
        found = AuditLog(database).verify()
    else:
        kept = taken.registry.kind == "sqlite"
        uri = store_uri(folder / REGISTRY) if kept else settings.store
        found = Registry(uri, folder, database).verify()
    taken.audit = KeptAudit(entries=found.entries, head=found.head)
    taken.faults = found.faults


def _head(settings: Settings, without: tuple[Part, ...]) -> str:
    """Return the hash of the audit log's last entry; empty where there is no log to ask."""
    path = sqlite_path(settings.people)
    if "people" in without or (path is not None and not path.exists()):
        return ""
    return AuditLog(Database(settings.people)).verify().head

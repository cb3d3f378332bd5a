"""A backup read as a restore would read it, and nothing kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.backup import postgres, sqlite
from assay.backup.examining import examine, in_production
from assay.backup.keeping import fetch
from assay.backup.manifest import PEOPLE, REGISTRY, KeptDatabase, Manifest, read_backup
from assay.backup.store import open_store
from assay.backup.taking import store_uri


def check_backup(origin: str, wanted: str = "") -> Iterator[str]:
    """Read a backup to its end, keep nothing, and yield what was found right, a line each.

    ``wanted`` is the beginning of its name, else it is the newest. Raises BackupError that names what is
    missing or damaged, ArtifactError.
    """
    store = open_store(origin)
    manifest = read_backup(store, wanted)
    with TemporaryDirectory(prefix="assay-backup-") as folder:
        here = Path(folder)
        needed = {each.folder for each in in_production(manifest)}
        for kept in manifest.files:
            used = kept.path in (REGISTRY, PEOPLE) or str(Path(kept.path).parent) in needed
            fetch(store, kept, here / kept.path if used else None)
        yield f"{manifest.name}: {len(manifest.files):,} files, each as it was kept"
        check_databases(manifest, lambda path: here / path)
        registry, people = manifest.registry, manifest.people
        yield from examine(
            manifest,
            registry=store_uri(here / REGISTRY) if _is_file(registry) else None,
            people=f"sqlite:///{here / PEOPLE}" if _is_file(people) else None,
            place=lambda path: here / path,
        )
        for database in dict.fromkeys((registry, people)):
            if database and not _is_file(database):
                yield f"the dump of {database.shown} can be read; whether it comes back, a restore shows"


def check_databases(manifest: Manifest, place: Callable[[str], Path]) -> None:
    """Raise BackupError unless both databases, which ``place`` leads to, can be read to their ends."""
    for path, kept in ((REGISTRY, manifest.registry), (PEOPLE, manifest.people)):
        if kept is not None:
            check = sqlite.check if _is_file(kept) else postgres.check_dump
            check(place(path), named=kept.shown)


def _is_file(database: KeptDatabase | None) -> bool:
    return database is not None and database.kind == "sqlite"

"""A backup brought to a machine: drafted, examined, then put in place by renames."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.audit import AuditLog
from assay.backup import postgres
from assay.backup.checking import check_databases
from assay.backup.destination import Destination
from assay.backup.examining import examine, holds
from assay.backup.keeping import fetch
from assay.backup.manifest import LOG, PEOPLE, REGISTRY, KeptDatabase, Manifest, read_backup, read_manifest
from assay.backup.placing import Placing, finish
from assay.backup.store import Store, open_store
from assay.database import Database
from assay.exceptions import BackupError, RegistryError
from assay.progress import Progress
from assay.settings import Settings
from assay.telemetry import KEY_FILE


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A backup that was brought back, what was found right, and where what was there before is now.

    ``finished`` says that a restore that was cut off was finished, and nothing else was done.
    """

    manifest: Manifest
    to: Path
    found: tuple[str, ...]
    aside: Path | None = None
    finished: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what became of it, for people."""
        if self.finished:
            yield "A restore that was cut off is finished; nothing else was restored."
        yield from self.found
        yield from (f"DAMAGED BEFORE: {fault}" for fault in self.manifest.faults)
        if self.aside:
            yield f"What was in the home folder before is in {self.aside}; nothing was deleted."
        if any(each.path.startswith(LOG) for each in self.manifest.files) and not self.manifest.key:
            yield (
                f"The key of the decision log's hashes is not in the backup: bring {KEY_FILE} back into the "
                "log's folder, or set ASSAY_DECISION_KEY, before the service starts."
            )
        yield f"Backup {self.manifest.name} of {self.manifest.finished} is in {self.to}."


def restore_backup(
    settings: Settings,
    origin: str,
    *,
    backup: str = "",
    served: Path | None = None,
    replace: bool = False,
    progress: Progress,
) -> Restored:
    """Bring a backup to where the settings say, and return what was found right.

    All is drafted and examined before anything is in its place. ``backup`` is the beginning of its name (the
    newest), ``served`` the folder of an MLflow server's artifacts. Raises BackupError, also for a home folder
    that holds something unless ``replace``, which moves that aside; ArtifactError, RegistryError.
    """
    store, home = open_store(origin), settings.home.absolute()
    try:
        if name := finish(home):
            return _finished(read_manifest(store, name), settings, served)
        manifest = read_backup(store, backup)
        destination = Destination(manifest, settings, served)
        placing = Placing(home, destination.folders, destination.registry_file or home)
        _refuse(placing, replace=replace)
        with TemporaryDirectory(prefix="assay-restore-") as folder:
            with progress.step("files"):
                placing.clear()
                _draft(store, destination, placing, Path(folder))
            # Only now is it known what the other folders must not hold.
            _refuse(placing, replace=replace)
            with progress.step("databases"):
                _bring_back(destination, placing, Path(folder))
            with progress.step("examination"):
                found = tuple(_examine(destination, placing))
            aside = placing.commit(manifest.name)
        found += tuple(f"in place: {line}" for line in _examine(destination, None))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise BackupError(
            f"The backup cannot be put into {home}: {where}{error.strerror or error}. What was there is "
            "as it was, or the next restore finishes; make room or check the rights, then restore again."
        ) from error
    return Restored(manifest=manifest, to=home, found=found, aside=aside)


def _finished(manifest: Manifest, settings: Settings, served: Path | None) -> Restored:
    destination = Destination(manifest, settings, served)
    found = tuple(_examine(destination, None))
    return Restored(manifest=manifest, to=destination.home, found=found, finished=True)


def _refuse(placing: Placing, *, replace: bool) -> None:
    found = placing.in_the_way()
    if found and not replace:
        named = ", ".join(str(path) for path in found[:5])
        raise BackupError(
            f"There is something already where the backup belongs: {named} ({len(found):,} in all). Name an "
            "empty home folder (ASSAY_HOME or --home); or stop the service and say --replace, which moves "
            "what is there aside and deletes nothing.",
            found=found,
        )


def _draft(store: Store, destination: Destination, placing: Placing, dumps: Path) -> None:
    for kept in destination.manifest.files:
        target = _drafted(kept.path, destination, placing, dumps)
        fetch(store, kept, target)
        if kept.path == LOG + KEY_FILE:
            target.chmod(0o600)


def _drafted(path: str, destination: Destination, placing: Placing, dumps: Path) -> Path:
    return dumps / path if destination.is_dump(path) else placing.draft(destination.place(path))


def _bring_back(destination: Destination, placing: Placing, dumps: Path) -> None:
    manifest = destination.manifest
    check_databases(manifest, lambda path: _drafted(path, destination, placing, dumps))
    for path, kept, uri in (
        (REGISTRY, manifest.registry, destination.registry_uri(None)),
        (PEOPLE, manifest.people, destination.people_uri(None)),
    ):
        if kept is not None and uri is not None and kept.kind == "postgresql":
            _into_server(manifest, path, kept, uri, dumps)
    destination.move_sources(placing)


def _into_server(manifest: Manifest, path: str, kept: KeptDatabase, uri: str, dumps: Path) -> None:
    """Bring a dump into a server's database, unless a restore that was cut off has done it."""
    tables, schema = postgres.tables_of(uri), postgres.schema_of(uri)
    if schema != kept.schema_name:
        raise BackupError(
            f"The dump is of the schema {kept.schema_name!r}, and new tables of {path} go to {schema!r}. "
            "Name a database whose search_path begins with the first."
        )
    if not tables:
        postgres.restore(uri, dumps / path, schema=schema)
    elif not (_holds_log(manifest, uri, tables) if path == PEOPLE else _holds_versions(manifest, uri)):
        raise BackupError(
            f"The database of {path} has tables already, like {tables[0]!r}, and holds not what the backup "
            "holds. Name an empty one; nothing was changed in it.",
            tables=tables,
        )


def _holds_log(manifest: Manifest, uri: str, tables: list[str]) -> bool:
    # Asking for the log of a database that has none would make its tables.
    if manifest.audit is None or not {"migrations", "audit"} <= set(tables):
        return False
    return AuditLog(Database(uri)).verify().head == manifest.audit.head


def _holds_versions(manifest: Manifest, uri: str) -> bool:
    try:
        return holds(manifest, uri)
    except RegistryError:
        return False


def _examine(destination: Destination, placing: Placing | None) -> Iterator[str]:
    def place(path: str) -> Path:
        final = destination.place(path)
        return placing.draft(final) if placing else final

    return examine(
        destination.manifest,
        registry=destination.registry_uri(placing),
        people=destination.people_uri(placing),
        place=place,
    )

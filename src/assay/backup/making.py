"""One backup made: both databases, then the files that they name, then the manifest."""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from assay import __version__
from assay.backup.artifacts import Layout, damaged, described
from assay.backup.configured import settings_toml
from assay.backup.keeping import Keeper
from assay.backup.manifest import (
    FORMAT,
    LOG,
    NAME_FORMAT,
    PARTS,
    PEOPLE,
    REGISTRY,
    REQUESTS,
    SETTINGS,
    KeptVersion,
    Manifest,
    Part,
    backups_in,
    manifest_name,
)
from assay.backup.pruning import prune
from assay.backup.store import Store, open_store
from assay.backup.taking import Taken, take_databases
from assay.exceptions import BackupError
from assay.progress import Progress
from assay.settings import Settings
from assay.telemetry import KEY_FILE, held_log, whole_lines

TOLD = {
    "registry": "registry database",
    "artifacts": "artifacts",
    "people": "people's database",
    "log": "logs",
    "settings": "settings",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a backup is to hold: all parts but those ``without``.

    ``served`` is the folder in which an MLflow server keeps artifacts, ``key`` adds the key of the decision
    log's hashes, ``keep`` is how many backups stay (None: all).
    """

    without: tuple[Part, ...] = ()
    served: Path | None = None
    key: bool = False
    keep: int | None = None


@dataclass(frozen=True)
class Made:
    """A backup that was made, the bytes that had to be copied for it, and what was deleted then."""

    manifest: Manifest
    to: str
    copied: int
    seconds: float
    removed: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield what was kept, for people."""
        manifest = self.manifest
        for part in PARTS:
            files = [each for each in manifest.files if each.what == part]
            size = sum(each.size for each in files)
            state = f"{len(files):>6,} files  {megabytes(size):>12}" if files else "  none"
            yield f"{TOLD[part]:18} {'  left out' if part in manifest.without else state}"
        yield f"versions           {len(manifest.versions):>6,}"
        if manifest.audit:
            entries, head = manifest.audit.entries, manifest.audit.head[:12] or "(none)"
            yield f"audit log          {entries:>6,} entries, the hash of the last begins with {head}"
        yield from (f"DAMAGED BEFORE: {fault}" for fault in manifest.faults)
        copied = f"{megabytes(manifest.size)}, {megabytes(self.copied)} of it new, in {self.seconds:.1f} s"
        yield f"Backup {manifest.name} is in {self.to}: {copied}."
        if self.removed:
            yield f"Deleted {len(self.removed):,} older: {', '.join(self.removed)}."


def megabytes(size: int) -> str:
    """Return a number of bytes for people."""
    return f"{size / 1e6:,.2f} MB"


def make_backup(settings: Settings, to: str, wanted: Wanted, progress: Progress) -> Made:
    """Back everything up to a folder or a bucket while it is used, and return what was kept.

    The manifest is written last, and makes it a backup: one that is cut off before is none. Files that are
    damaged already are kept as they are and named; older backups then stay. Raises BackupError,
    RegistryError, DatabaseError, LogError.
    """
    began, store = time.monotonic(), open_store(to)
    with store.locked() as renew, TemporaryDirectory(prefix="assay-backup-") as folder:
        keeper, layout = Keeper(store, renew), Layout(settings.home.absolute(), wanted.served)
        with progress.step("databases"):
            taken = take_databases(settings, wanted.without, Path(folder))
            for path, database in ((REGISTRY, taken.registry), (PEOPLE, taken.people)):
                if database:
                    keeper.keep(path, "registry" if path == REGISTRY else "people", Path(folder) / path)
        with progress.step("artifacts"):
            versions = _keep_artifacts(keeper, layout, taken, wanted)
        with progress.step("logs and settings"):
            key = "log" not in wanted.without and _keep_logs(keeper, settings, wanted)
            if "settings" not in wanted.without:
                _keep_text(keeper, Path(folder) / SETTINGS, settings_toml(settings))
        manifest = Manifest(
            format=FORMAT,
            assay=__version__,
            name=_free_name(store),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            home=str(layout.home),
            files=tuple(keeper.files),
            registry=taken.registry,
            people=taken.people,
            elsewhere=layout.elsewhere,
            versions=versions,
            audit=taken.audit,
            without=wanted.without,
            key=key,
            faults=(*taken.faults, *damaged(versions, keeper.files, layout)),
        )
        renew()
        store.write(manifest_name(manifest.name), io.BytesIO(manifest.written()))
        removed = _prune(store, wanted, manifest)
    return Made(manifest, store.shown, keeper.copied, time.monotonic() - began, tuple(removed))


def _keep_artifacts(keeper: Keeper, layout: Layout, taken: Taken, wanted: Wanted) -> tuple[KeptVersion, ...]:
    if taken.inventory is None:
        return ()
    kept = "artifacts" not in wanted.without
    if kept:
        layout.learn(taken.inventory)
        for folder in layout.folders(taken.inventory):
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                try:
                    keeper.keep(layout.path(file), "artifacts", file)
                except FileNotFoundError:
                    # Deleted meanwhile; where a version needs it, the backup says so.
                    continue
    return tuple(described(each, layout, kept=kept) for each in taken.inventory.versions)


def _keep_logs(keeper: Keeper, settings: Settings, wanted: Wanted) -> bool:
    """Keep the decision log and the request log; return whether the key of the hashes was kept."""
    folder = settings.decisions
    with held_log(folder) as files:
        for each in files:
            keeper.keep(LOG + each.name, "log", each.path, each.size)
    key = wanted.key and (folder / KEY_FILE).is_file()
    if key:
        keeper.keep(LOG + KEY_FILE, "log", folder / KEY_FILE)
    requests = Path(settings.request_log or "-")
    if requests.is_file():
        with requests.open("rb") as file:
            # By its descriptor: somebody may rotate it meanwhile.
            held = Path(f"/proc/self/fd/{file.fileno()}")
            keeper.keep(REQUESTS, "log", held, whole_lines(file.fileno()))
    return key


def _keep_text(keeper: Keeper, path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    keeper.keep(path.name, "settings", path)


def _free_name(store: Store) -> str:
    """Return the name of a backup that is made now; the lock keeps others from taking the same."""
    taken, moment = set(backups_in(store)), datetime.now(UTC)
    while (name := moment.strftime(NAME_FORMAT)) in taken:
        moment += timedelta(seconds=1)
    return name


def _prune(store: Store, wanted: Wanted, manifest: Manifest) -> list[str]:
    if wanted.keep is None or manifest.faults:
        # The older ones may hold whole what is damaged now.
        return []
    try:
        return prune(store, wanted.keep)
    except BackupError as error:
        raise BackupError(
            f"The backup {manifest.name} was made, but older ones were not deleted: {error.message}",
            backup=manifest.name,
        ) from error

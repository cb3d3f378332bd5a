"""Whether what came out of a backup is what went in, and answers as it did."""

from collections.abc import Callable, Iterator
from pathlib import Path

from assay.audit import AuditLog
from assay.backup.manifest import KeptVersion, Manifest
from assay.database import Database
from assay.estimators import load_artifact
from assay.exceptions import BackupError, MissingExtra
from assay.registry import Registry, inventory_of

PRODUCTION = "production"


def in_production(manifest: Manifest) -> list[KeptVersion]:
    """Return the versions that answered, of which the artifact is kept and was whole."""
    return [
        each
        for each in manifest.versions
        if PRODUCTION in each.aliases
        and each.folder
        and not any(fault.startswith(f"{each.model} version {each.number}:") for fault in manifest.faults)
    ]


def examine(
    manifest: Manifest, *, registry: str | None, people: str | None, place: Callable[[str], Path]
) -> Iterator[str]:
    """Yield what was found right, a line each, of databases by their URIs and artifacts by their folders.

    ``place`` leads from a folder in the backup to where it is now. Raises BackupError that names what is not
    as it was, ArtifactError for a version that does not decide as recorded.
    """
    if registry is not None:
        yield _versions(manifest, registry)
    if people is not None and manifest.audit is not None:
        yield _audit(manifest, registry, people)
    for version in in_production(manifest):
        yield _answers(version, place(version.folder))


def holds(manifest: Manifest, registry: str) -> bool:
    """Return whether a registry names the same versions with the same aliases as the backup."""
    with inventory_of(registry) as inventory:
        found = {(each.model, each.number): (each.aliases, each.manifest) for each in inventory.versions}
    return found == {(each.model, each.number): (each.aliases, each.manifest) for each in manifest.versions}


def _versions(manifest: Manifest, registry: str) -> str:
    if not holds(manifest, registry):
        raise BackupError(
            f"The registry that came out of the backup {manifest.name} has other versions or aliases than "
            "the backup was made of. Take another: --backup NAME.",
            backup=manifest.name,
        )
    return f"{len(manifest.versions):,} versions with their aliases"


def _audit(manifest: Manifest, registry: str | None, people: str) -> str:
    assert manifest.audit is not None
    database = Database(people)
    log = AuditLog(database) if registry is None else Registry(registry, Path(), database)
    found = log.verify()
    new = [fault for fault in found.faults if fault not in manifest.faults]
    if new or (found.entries, found.head) != (manifest.audit.entries, manifest.audit.head):
        told = new or [f"it ends with entry {found.entries}, not {manifest.audit.entries}"]
        raise BackupError(
            f"The audit log that came out of the backup {manifest.name} is not whole: {' '.join(told)} "
            "Take another: --backup NAME.",
            backup=manifest.name,
        )
    return f"audit log whole: {found.entries:,} entries, the hash of the last is {found.head or '(none)'}"


def _answers(version: KeptVersion, folder: Path) -> str:
    name = f"{version.model} version {version.number}"
    try:
        load_artifact(folder, private=True)
    except MissingExtra as error:
        return f"{name} was not asked: {error.message}"
    return f"{name} decides as it did"

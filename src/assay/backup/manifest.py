"""What one backup holds: the file that is written last, and makes a backup of what was kept."""

import hashlib
import json
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from assay.backup.store import Store
from assay.config import faults
from assay.exceptions import BackupError
from assay.frozen import Frozen

FORMAT = 1
NAME_FORMAT = "%Y%m%dT%H%M%SZ"
BACKUPS, OBJECTS, MANIFEST = "backups/", "objects/", "manifest.json"

Part = Literal["registry", "artifacts", "people", "log", "settings"]
PARTS: tuple[Part, ...] = ("registry", "artifacts", "people", "log", "settings")
REGISTRY, PEOPLE, SETTINGS, REQUESTS = "registry", "people", "settings.toml", "requests.jsonl"
"""Paths in a backup of what is one file."""
HOME, SERVED, ELSEWHERE, LOG = "home/", "served/", "elsewhere/", "log/"
"""Folders in a backup: artifacts under the home folder, of an MLflow server, in other folders; the log."""


def _plain(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError(f"{path!r} leads out of the backup")
    return path


class Kept(Frozen):
    """One file of a backup; its bytes are the object of that SHA-256."""

    path: Annotated[str, AfterValidator(_plain)]
    what: Part
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class KeptDatabase(Frozen):
    """A database as it was dumped; ``shown`` is where it was, without credentials."""

    kind: Literal["sqlite", "postgresql"]
    shown: str
    schema_name: str = ""


class KeptVersion(Frozen):
    """A version that the registry named, to be found again after a restore."""

    model: str
    number: str
    aliases: tuple[str, ...]
    manifest: str
    folder: str
    """The artifact's folder in the backup; empty where it is not kept."""


class KeptAudit(Frozen):
    """The audit log as it was: its length and the hash of its last entry."""

    entries: int
    head: str


class Manifest(Frozen):
    """One backup."""

    format: Literal[1]
    assay: str
    name: str
    finished: str
    home: str
    """The absolute home folder that it was made from."""
    files: tuple[Kept, ...]
    registry: KeptDatabase | None = None
    people: KeptDatabase | None = None
    elsewhere: dict[str, str] = Field(default_factory=dict)
    """Folders outside the home folder, by their folder in the backup."""
    versions: tuple[KeptVersion, ...] = ()
    audit: KeptAudit | None = None
    without: tuple[Part, ...] = ()
    key: bool = False
    """Whether it holds the key of the decision log's hashes."""
    faults: tuple[str, ...] = ()
    """What was damaged already when it was kept."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files)

    def file(self, path: str) -> Kept:
        """Return a file by its path in the backup."""
        return next(each for each in self.files if each.path == path)

    def written(self) -> bytes:
        """Return the manifest's file: JSON, and before it a line with its SHA-256."""
        body = json.dumps(self.model_dump(), indent=1, ensure_ascii=False)
        body = f'{{\n "sha256": "{hashlib.sha256(body.encode()).hexdigest()}",\n "backup": {body}\n}}\n'
        return body.encode()


def object_name(sha256: str) -> str:
    """Return the name of the object that holds the bytes of that SHA-256."""
    return f"{OBJECTS}{sha256[:2]}/{sha256}"


def manifest_name(name: str) -> str:
    """Return the name of a backup's manifest."""
    return f"{BACKUPS}{name}/{MANIFEST}"


def backups_in(store: Store) -> list[str]:
    """Return the names of the backups in a place that are whole, oldest first."""
    found = [PurePosixPath(name) for name in store.sizes(BACKUPS)]
    return sorted(path.parent.name for path in found if path.name == MANIFEST)


def read_backup(store: Store, wanted: str = "") -> Manifest:
    """Return the newest backup in a place, or the newest whose name begins as ``wanted`` says.

    Raises BackupError when there is none, or its manifest is damaged or of a newer Assay.
    """
    names = backups_in(store)
    chosen = [name for name in names if name.startswith(wanted)]
    if not chosen:
        sought = f"no backup {wanted!r}" if wanted else "no backup that is whole"
        raise BackupError(f"{store.shown} has {sought}; it has {', '.join(names[-10:]) or 'none at all'}.")
    return read_manifest(store, chosen[-1])


def read_manifest(store: Store, name: str) -> Manifest:
    """Return the manifest of one backup. Raises BackupError."""
    data = b"".join(store.read(manifest_name(name)))
    try:
        held = json.loads(data)
        made, digest = held["backup"], held["sha256"]
        number = made["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(name, store, f"it is not JSON as Assay writes it ({error})") from error
    if isinstance(number, int) and number > FORMAT:
        raise BackupError(
            f"The backup {name} in {store.shown} has format {number}, and this Assay ({FORMAT} at most) "
            f"cannot read it; Assay {made.get('assay')} made it. Update Assay, then restore.",
            format=number,
        )
    body = json.dumps(made, indent=1, ensure_ascii=False)
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise _damaged(name, store, "its SHA-256 is not the one that it names")
    try:
        return Manifest.model_validate_json(json.dumps(made))
    except ValidationError as error:
        raise _damaged(name, store, faults(error)) from error


def _damaged(name: str, store: Store, why: str) -> BackupError:
    return BackupError(
        f"The manifest of the backup {name} in {store.shown} is damaged: {why}. Take another: --backup NAME.",
        backup=name,
    )

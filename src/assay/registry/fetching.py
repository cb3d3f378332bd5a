"""A version's artifact folder on this machine: a local source in place, any other downloaded once."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from assay.estimators import read_manifest
from assay.exceptions import ArtifactError, RegistryError
from assay.registry import rest
from assay.registry.store import Store, parse_store
from assay.registry.versions import Version, find_version

MANIFEST = "manifest.json"


def open_version(uri: str, model: str, reference: str, cache: Path) -> tuple[Version, Path]:
    """Return the version that a reference means, and its local artifact folder.

    Raises what ``find_version`` and ``fetch_version`` raise.
    """
    version = find_version(uri, model, reference)
    return version, fetch_version(uri, version, cache)


def fetch_version(uri: str, version: Version, cache: Path) -> Path:
    """Return a local artifact folder of a version.

    A source that is a folder of this machine is used in place. From a server, every file is fetched
    once into ``cache``, in a folder named by the SHA-256 of the manifest; it appears whole or not at all.
    Raises ArtifactError when bytes are missing or differ from what was registered, RegistryUnavailable,
    RegistryError.
    """
    store = parse_store(uri)
    folder, kept = _in_place(store, version), cache / version.manifest
    if folder is None and not _is_whole(kept):
        _download(store, version, kept)
    return folder or kept


def check_version(store: Store, version: Version, cache: Path) -> None:
    """Raise unless a version's artifact is where it is registered, whole, down to every file's bytes.

    A copy in ``cache`` proves nothing of the server's, so all is fetched once more; it becomes the copy where
    there was none. The errors are those of ``fetch_version``.
    """
    folder = _in_place(store, version)
    if folder is None:
        _download(store, version, cache / version.manifest)
    else:
        read_manifest(folder)


def _in_place(store: Store, version: Version) -> Path | None:
    """Return the folder of this machine that a version is in, None where a server has to be asked."""
    folder = local_folder(version.source)
    if folder is not None and (store.kind != "http" or folder.is_dir()):
        _check_manifest(folder, version)
        return folder
    if store.kind != "http":
        raise RegistryError(
            f"Version {version.number} of {version.model!r} is kept at {version.source!r}, which only "
            "an MLflow server hands out. Name the server's address in ASSAY_TRACKING_URI."
        )
    return None


def local_folder(source: str) -> Path | None:
    """Return the path of a ``file:`` URI or an absolute path; None for any other source."""
    parts = urlsplit(source)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(source) if source.startswith("/") else None


def _check_manifest(folder: Path, version: Version) -> None:
    path = folder / MANIFEST
    try:
        seen = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ArtifactError(
            f"Version {version.number} of {version.model!r} is registered, but {path} cannot be read: "
            f"{error.strerror}. Restore the folder, or promote another version.",
            folder=folder,
        ) from error
    if seen != version.manifest:
        raise _differs(version, MANIFEST, seen, version.manifest)


def _is_whole(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except ArtifactError:
        return False
    return True


def _download(store: Store, version: Version, kept: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with (
            rest.connect(store) as server,
            tempfile.TemporaryDirectory(prefix=".draft-", dir=kept.parent) as folder,
        ):
            # Renamed from inside, so that cleaning up always finds its folder.
            draft = Path(folder) / kept.name
            draft.mkdir()
            _download_file(server, version, draft, MANIFEST, version.manifest)
            for name, expected in json.loads((draft / MANIFEST).read_bytes())["files"].items():
                _download_file(server, version, draft, name, expected)
            read_manifest(draft)
            _take_place(draft, kept)
    except OSError as error:
        raise ArtifactError(
            f"Version {version.number} of {version.model!r} could not be kept in {str(kept.parent)!r}: "
            f"{error.strerror or error}. Nothing of it was; free the disk or set ASSAY_HOME to another.",
            folder=kept,
        ) from error


def _take_place(draft: Path, kept: Path) -> None:
    if kept.exists() and not _is_whole(kept):
        shutil.rmtree(kept, ignore_errors=True)
    try:
        draft.rename(kept)
    except OSError:
        # Another worker was first; its folder has the same name, so the same bytes.
        if not _is_whole(kept):
            raise


def _download_file(server: rest.Server, version: Version, draft: Path, name: str, expected: str) -> None:
    if PurePosixPath(name).name != name:
        raise ArtifactError(
            f"The manifest of version {version.number} of {version.model!r} names the file "
            f"{name!r}, which is no plain name."
        )
    seen = hashlib.sha256()
    with server.file(version.model, version.number, name) as chunks, (draft / name).open("wb") as file:
        for chunk in chunks:
            seen.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if seen.hexdigest() != expected:
        raise _differs(version, name, seen.hexdigest(), expected)


def _differs(version: Version, name: str, seen: str, expected: str) -> ArtifactError:
    return ArtifactError(
        f"{name} of version {version.number} of {version.model!r} is not what was registered: "
        f"its SHA-256 is {seen[:12]}..., registered was {expected[:12] or 'none'}.... "
        "Restore it from a backup, or promote another version.",
        model=version.model,
        version=version.number,
        file=name,
    )

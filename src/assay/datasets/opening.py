"""A path or a stream to a table, by the format that its name or the caller says."""

import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from assay.datasets import delimited, jsonlines, parquet
from assay.datasets.compression import COMPRESSIONS, decompress
from assay.datasets.table import Format, Layout, Table, unreadable
from assay.exceptions import DataError

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


def format_of(path: Path) -> Format:
    """Return the format that a file's name says, below a compression's ending.

    Raises DataError, listing the endings that are known, for any other.
    """
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    if plain.suffix.lower() in SUFFIXES:
        return SUFFIXES[plain.suffix.lower()]
    raise DataError(
        f"The name {path.name!r} does not say a format. Known endings: {', '.join(SUFFIXES)}, "
        f"each also with {', '.join(COMPRESSIONS)}. Rename the file or convert it.",
        path=path,
        known=[*SUFFIXES, *COMPRESSIONS],
    )


def read_table(
    source: Path | str | BinaryIO,
    format: Format | None = None,
    *,
    layout: Layout | None = None,
    name: str | None = None,
) -> Table:
    """Open a file or a stream of bytes as a table; rows are read as they are asked for.

    CSV and JSON Lines take the memory of one row, Parquet that of one batch. The format and the
    compression follow from a path's name; a stream (standard input) needs ``format`` and is read
    as it is. ``layout`` describes a text file without a header or with a separator of its own;
    ``name`` is what messages call the source.

    Raises DataError for a file that is missing, empty, unreadable, or of an unknown format, and
    MissingExtra when Parquet or Zstandard is met without pyarrow.
    """
    if isinstance(source, str):
        source = Path(source)
    if isinstance(source, Path):
        format, name = format or format_of(source), name or str(source)
    elif format is None:
        raise DataError(f"The format of a stream must be said: one of {sorted(set(SUFFIXES.values()))}.")
    name = name or str(getattr(source, "name", "the stream"))
    with ExitStack() as stack:
        try:
            stream = _open_path(source, stack) if isinstance(source, Path) else source
            table = _open(stream, name, format, layout or Layout(), stack)
        except FileNotFoundError as error:
            raise DataError(f"There is no file {name!r}.", source=name) from error
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(name, error) from error
        table.stack = stack.pop_all()
    return table


def _open_path(path: Path, stack: ExitStack) -> BinaryIO:
    packed = path.suffix.lower()
    stream = stack.enter_context(path.open("rb"))
    return decompress(stream, packed, stack) if packed in COMPRESSIONS else stream


def _open(stream: BinaryIO, name: str, format: Format, layout: Layout, stack: ExitStack) -> Table:
    if format == "parquet":
        return parquet.open_table(stream, name, stack)
    if format == "jsonl":
        return jsonlines.open_table(stream, name)
    return delimited.open_table(stream, name, format, layout, stack)

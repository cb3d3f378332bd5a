"""Parquet, through pyarrow."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from assay.datasets.table import Row, Table
from assay.exceptions import DataError, MissingExtra

BATCH_ROWS = 1024
BATCH_BYTES = 4 * 1024**2
"""Rows and bytes that are read together, the bytes by the file's own account of itself."""
PAGE_BUFFER = 1024**2
SPOOL_BYTES = 64 * 1024**2


def open_table(stream: BinaryIO, name: str, stack: ExitStack) -> Table:
    """Return the table of a Parquet file, read by batches of at most 1,024 rows.

    A stream that cannot seek is spooled first: to memory up to 64 MB, then to a temporary file.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("Reading Parquet files", package="pyarrow", extra="parquet") from error
    try:
        # With a buffer, and not ahead, a column is read page by page and not whole for each group of rows.
        file = pq.ParquetFile(_seekable(stream, stack), buffer_size=PAGE_BUFFER, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise DataError(f"{name} is not a Parquet file that can be read: {error}", source=name) from error
    columns = tuple(file.schema_arrow.names)
    rows, size = _rows(file, columns, name), unpacked_size(file.metadata)
    return Table(name, "parquet", columns, rows, schema=file.schema_arrow, unpacked=size)


def _seekable(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    if stream.seekable():
        return stream
    spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 (closed by the stack)
    stack.callback(spool.close)
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return cast(BinaryIO, spool)


def _rows(file: Any, columns: tuple[str, ...], name: str) -> Iterator[Row]:
    import pyarrow as pa

    number = 0
    try:
        for batch in file.iter_batches(batch_size=_rows_at_once(file.metadata), use_threads=False):
            for cells in zip(*(_cells(column) for column in batch.columns), strict=True):
                number += 1
                yield Row(number, columns, cells)
    except pa.ArrowException as error:
        raise DataError(f"{name} is damaged after row {number}: {error}", source=name) from error


def unpacked_size(metadata: Any) -> int:
    """Return how many bytes a file says that its columns take uncompressed."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(int(group.total_byte_size) for group in groups)


def _rows_at_once(metadata: Any) -> int:
    row = unpacked_size(metadata) // max(int(metadata.num_rows), 1) + 1
    return max(1, min(BATCH_ROWS, BATCH_BYTES // row))


def _cells(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        # Parquet does not check that its strings are UTF-8.
        raw = column.cast(pa.large_binary()).to_pylist()
        values = [cell if cell is None else cell.decode("utf-8", "surrogateescape") for cell in raw]
    return values

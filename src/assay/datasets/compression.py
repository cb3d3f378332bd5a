"""Compressed files, read as a stream."""

import bz2
import gzip
import io
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from assay.exceptions import MissingExtra

COMPRESSIONS = (".gz", ".bz2", ".zst")


def _zstandard(stream: BinaryIO) -> Any:
    # pyarrow and not the package zstandard: it is there for Parquet anyway, and it notices a file
    # that ends in the middle of a frame, which zstandard's reader takes for the end of the data.
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("Reading Zstandard files", package="pyarrow", extra="parquet") from error
    return pa.CompressedInputStream(stream, "zstd")


def decompress(stream: BinaryIO, packed: str, stack: ExitStack) -> BinaryIO:
    """Return the bytes of a stream as they were before ``packed`` (``.gz``, ``.bz2`` or ``.zst``).

    What is opened here is closed by ``stack``. Raises MissingExtra for Zstandard without pyarrow.
    """
    if packed == ".gz":
        opened: Any = gzip.GzipFile(fileobj=stream, mode="rb")
    else:
        opened = bz2.BZ2File(stream) if packed == ".bz2" else _zstandard(stream)
    return cast(BinaryIO, stack.enter_context(io.BufferedReader(opened)))

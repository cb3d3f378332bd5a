"""Arrays in a safetensors file: mapped from it, copied into memory, or shared by several processes."""

import hashlib
import json
import logging
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.estimators.manifest import check_digest
from assay.estimators.sharing import map_shared
from assay.exceptions import ArtifactError

logger = logging.getLogger(__name__)

DTYPES = {"F64": "<f8", "F32": "<f4", "U8": "|u1", "U32": "<u4", "U64": "<u8"}


def write_tensors(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as one safetensors file."""
    from safetensors.numpy import save

    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def map_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a safetensors file as read-only views of the mapped file.

    The library checks the header (no overlap, no gap, nothing outside the file) before anything is built
    from it; pages are read on first use and shared between processes. Raises ArtifactError.
    """
    header, offset = _read_header(path)
    data = np.memmap(path, mode="r", dtype=np.uint8, offset=offset)
    return {name: _view(data, name, entry, path) for name, entry in header.items()}


def copy_tensors(path: Path, digest: str) -> dict[str, NDArray[Any]]:
    """Return the same arrays in memory of their own, so that nothing done to the file reaches them.

    ``digest`` is the file's SHA-256, verified on the bytes that were read. Raises ArtifactError.
    """
    # A mapping without a file goes back to the system whole when the last array is gone; what malloc
    # hands out may not, and a service loads a version after another.
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            _spread_widely(memory)
            whole = file.readinto(memory) == size
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    if not whole:
        raise ArtifactError(f"{path} became shorter while it was read.", path=path)
    check_digest(path, hashlib.sha256(memory).hexdigest(), digest)
    return _views(memory, path)


def _spread_widely(memory: mmap.mmap) -> None:
    """Ask for large pages: a text's n-grams lie all over the tables, and a processor remembers few pages."""
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A kernel without large pages says so.
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)


def share_tensors(path: Path, digest: str, folder: Path) -> dict[str, NDArray[Any]]:
    """Return the same arrays in memory that all processes share which name the same folder.

    The bytes are those of a copy of the file, see ``map_shared``: what is done to the file itself does not
    reach them. A folder that takes no copy is told in the log, and the memory is this process's own. Raises
    ArtifactError.
    """
    try:
        memory = map_shared(path, folder, digest)
    except OSError as error:
        logger.warning("%s is not shared with other workers: %s", path, error.strerror or error)
        return copy_tensors(path, digest)
    return _views(memory, path)


def _views(memory: mmap.mmap, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file's bytes that are in memory."""
    header, offset = _read_header(path)
    with path.open("rb") as file:
        same = file.read(offset) == memory[:offset]
    if not same:
        raise ArtifactError(f"{path} was changed while it was read.", path=path)
    data = np.frombuffer(memory, np.uint8, offset=offset)
    data.flags.writeable = False
    return {name: _view(data, name, entry, path) for name, entry in header.items()}


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return what a file says of its arrays, and where their numbers begin."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactError(f"{path} is not a whole safetensors file: {error}", path=path) from error
    header.pop("__metadata__", None)
    if path.stat().st_size <= 8 + size:
        raise ArtifactError(f"{path} holds no numbers.", path=path)
    return header, 8 + size


def _view(data: NDArray[np.uint8], name: str, entry: dict[str, Any], path: Path) -> NDArray[Any]:
    if entry["dtype"] not in DTYPES:
        raise ArtifactError(
            f"{path}: {name!r} has the type {entry['dtype']!r}; allowed are {sorted(DTYPES)}.", path=path
        )
    begin, end = entry["data_offsets"]
    # A plain array over the mapping: np.memmap's own class makes every slice several times slower.
    return np.asarray(data)[begin:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])

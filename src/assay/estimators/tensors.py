"""Arrays in a safetensors file, mapped into memory instead of read."""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import ArtifactError

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


def copy_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the same arrays in memory of their own, so that nothing done to the file reaches them.

    Raises ArtifactError.
    """
    header, offset = _read_header(path)
    # A mapping without a file goes back to the system whole when the last array is gone; what malloc
    # hands out may not, and a service loads a version after another.
    memory = mmap.mmap(-1, path.stat().st_size - offset, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            whole = file.readinto(memory) == len(memory)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    if not whole:
        raise ArtifactError(f"{path} became shorter while it was read.", path=path)
    data = np.frombuffer(memory, np.uint8)
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

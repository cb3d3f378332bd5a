"""Arrays come back as they were written, and a header that lies is refused before anything is built."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.estimators.tensors import DTYPES, map_tensors, write_tensors
from assay.exceptions import ArtifactError


def with_header(path: Path, header: Any, data: bytes = b"\x00" * 16) -> Path:
    """Write a safetensors file by hand."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)
    return path


def entry(dtype: str = "F64", shape: tuple[int, ...] = (2,), begin: int = 0, end: int = 16) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def twice(*entries: dict[str, Any]) -> bytes:
    """Return a header that describes the array x several times."""
    return b"{%s}" % b",".join(b'"x":' + json.dumps(each).encode() for each in entries)


def test_arrays_of_every_type_come_back_as_read_only_views(tmp_path: Path) -> None:
    arrays = {name: np.arange(12).astype(dtype).reshape(3, 4) for name, dtype in DTYPES.items()} | {
        "none": np.empty((0, 2)),
        "turned": np.arange(6.0).reshape(2, 3).T,
    }
    write_tensors(tmp_path / "a", arrays)
    mapped = map_tensors(tmp_path / "a")
    assert set(mapped) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(mapped[name], array, strict=True)
        assert not mapped[name].flags.writeable
        assert type(mapped[name]) is np.ndarray


def test_a_header_with_metadata_is_read(tmp_path: Path) -> None:
    path = with_header(tmp_path / "a", {"__metadata__": {"by": "someone"}, "x": entry()})
    assert map_tensors(path)["x"].tolist() == [0.0, 0.0]


LIES = {
    "past the file": {"x": entry(shape=(3,), end=24)},
    "short of the file": {"x": entry(shape=(1,), end=8)},
    "another shape": {"x": entry(shape=(3,))},
    "a shape that overflows": {"x": entry(shape=(2**63, 2**63))},
    "a negative shape": {"x": entry(shape=(-2,))},
    "an offset that falls": {"x": entry(begin=16, end=0)},
    "an overlap": {"x": entry(), "y": entry()},
    "a gap": {"x": entry(shape=(1,), end=4), "y": entry(shape=(1,), begin=8)},
    "an unknown type": {"x": entry(dtype="PICKLE")},
    "no type": {"x": {"shape": [2], "data_offsets": [0, 16]}},
    "no offsets": {"x": {"dtype": "F64", "shape": [2]}},
    "a list": [entry()],
    "text": b"hello",
    "nothing": b"",
    "one name twice": twice(entry(end=99), entry(end=1)),
    "one name twice, the second well": twice(entry(shape=(9,)), entry(begin=8)),
}


@pytest.mark.parametrize("header", LIES.values(), ids=LIES.keys())
def test_a_header_that_lies_is_refused(tmp_path: Path, header: Any) -> None:
    with pytest.raises(ArtifactError, match="is not a whole safetensors file"):
        map_tensors(with_header(tmp_path / "a", header))


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 7, b"\xff" * 8, (2**40).to_bytes(8, "little") + b"{}"], ids=len
)
def test_a_file_without_a_whole_header_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ArtifactError, match="is not a whole safetensors file"):
        map_tensors(tmp_path / "a")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not a whole safetensors file"):
        map_tensors(tmp_path / "none")


def test_a_type_that_no_model_uses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="'x' has the type 'I64'; allowed are"):
        map_tensors(with_header(tmp_path / "a", {"x": entry(dtype="I64")}))


@pytest.mark.parametrize("header", [{}, {"x": entry(shape=(0,), end=0)}], ids=["no array", "an empty array"])
def test_a_file_without_numbers_is_refused(tmp_path: Path, header: Any) -> None:
    with pytest.raises(ArtifactError, match="holds no numbers"):
        map_tensors(with_header(tmp_path / "a", header, b""))

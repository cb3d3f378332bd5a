import bz2
import gzip
import sys
from pathlib import Path

import pytest
import zstandard

from assay.datasets import read_table
from assay.exceptions import DataError, MissingExtra

CONTENT = b"text,label\n" + b"".join(b"message %d,ham\n" % number for number in range(20_000))
PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}


def count(path: Path) -> int:
    with read_table(path) as table:
        return sum(1 for _ in table)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_compressed_file_reads_as_its_content(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mail.csv{ending}"
    path.write_bytes(PACKERS[ending](CONTENT))
    assert count(path) == 20_000


@pytest.mark.parametrize("ending", PACKERS)
def test_several_compressed_pieces_read_as_one(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mail.csv{ending}"
    path.write_bytes(PACKERS[ending](CONTENT) + PACKERS[ending](b"one more,ham\n"))
    assert count(path) == 20_001


@pytest.mark.parametrize("ending", PACKERS)
def test_a_truncated_file_is_not_taken_for_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mail.csv{ending}"
    path.write_bytes(PACKERS[ending](CONTENT)[:-20])
    with pytest.raises(DataError, match=r"mail\.csv.* cannot be read"):
        count(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_is_not_compressed_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mail.csv{ending}"
    path.write_bytes(CONTENT)
    with pytest.raises(DataError, match=r"mail\.csv.* cannot be read"):
        count(path)


@pytest.mark.parametrize(("name", "feature"), [("a.csv.zst", "Zstandard"), ("a.parquet", "Parquet")])
def test_a_missing_pyarrow_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, feature: str
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(MissingExtra, match=rf"{feature} files needs .*'pyarrow'.*assay\[parquet\]"):
        read_table(tmp_path / name)

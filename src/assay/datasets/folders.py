"""A folder of texts, a file each, in the form of aclImdb: ``train/pos/*.txt``, ``test/neg/*.txt``."""

from collections.abc import Iterator
from pathlib import Path

from assay.datasets.table import Row, Table
from assay.exceptions import DataError

COLUMNS = ("text", "label")
LABELS = {"pos": "positive", "neg": "negative"}
UNLABELLED = "unsup"


def label_folders(folder: Path) -> list[Path]:
    """Return the folders that hold the texts of one label each; ``unsup`` holds none."""
    found = (path for path in folder.iterdir() if path.is_dir() and path.name != UNLABELLED)
    return sorted(path for path in found if any(path.glob("*.txt")))


def open_folder(folder: Path) -> Table:
    """Return the texts below a folder as a table, label by label, in the order of file names.

    Raises DataError when there are none.
    """
    folders = label_folders(folder)
    if not folders:
        raise DataError(
            f"{str(folder)!r} has no folder of texts. Expected a folder of *.txt files for each label, "
            "such as pos and neg.",
            folder=folder,
        )
    return Table(str(folder), "folder", COLUMNS, _rows(folders))


def _rows(folders: list[Path]) -> Iterator[Row]:
    number = 0
    for folder in folders:
        for path in sorted(folder.glob("*.txt")):
            number += 1
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            yield Row(number, COLUMNS, (text, folder.name))

"""Bytes of a file in, bytes of the scored file out."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from assay.datasets import read_table
from assay.estimators import Cascade
from assay.scoring import Tally, score_table


@dataclass
class Scored:
    """What scoring a file gave."""

    content: bytes
    tally: Tally

    def records(self, delimiter: str = ",") -> list[dict[str, str]]:
        """Return the rows of a CSV by column, read by the standard library."""
        header, *rows = self.cells(delimiter)
        return [dict(zip(header, row, strict=False)) for row in rows]

    def cells(self, delimiter: str = ",") -> list[list[str]]:
        """Return the rows of a CSV as they stand, the header first."""
        text = self.content.decode("utf-8", "surrogateescape")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


Score = Callable[..., Scored]


@pytest.fixture(scope="session")
def score(spam_cascade: Cascade) -> Score:
    """A function that scores the bytes of a file, by default with the task spam."""

    def run(
        content: bytes, format: Any = "csv", column: str | None = None, cascade: Cascade | None = None
    ) -> Scored:
        out = io.BytesIO()
        with read_table(io.BytesIO(content), format, name="the file") as table:
            tally = score_table(cascade or spam_cascade, table, column, out)
        return Scored(out.getvalue(), tally)

    return run

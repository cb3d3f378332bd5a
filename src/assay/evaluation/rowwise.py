"""Every held-out row: what was true, what was decided, and which slices it belongs to."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from assay.evaluation.metrics import Counts, confusion_cells
from assay.frozen import Frozen

MAX_BYTES = 1 << 27
"""A packed column that unpacks to more, 67 million rows, is refused before it fills the memory."""


class Grouping(Frozen):
    """Which value of a column each row has."""

    values: tuple[str, ...]
    rows: str
    """The number of each row's value, packed."""
    comparable: bool = True
    """False where the value is the version's doing (what decided), so that two versions' slices differ."""

    @model_validator(mode="after")
    def _names_values(self) -> Self:
        if self.numbers().max(initial=-1) >= len(self.values):
            raise ValueError(f"rows speak of more values than the {len(self.values)} that are named")
        return self

    def numbers(self) -> Counts:
        """Return the number of each row's value, shape (rows,)."""
        return unpack(self.rows)


class Rowwise(Frozen):
    """The rows of a report in the order of ``Rows.order``: two reports on the same rows can be paired."""

    rows: int = Field(ge=0)
    truth: str
    decided: str
    """Label numbers, packed."""
    groups: dict[str, Grouping] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _counts_rows(self) -> Self:
        for packed in (self.truth, self.decided, *(group.rows for group in self.groups.values())):
            if len(unpack(packed)) != self.rows:
                raise ValueError(f"every packed column must have {self.rows} rows")
        return self

    @property
    def true_labels(self) -> Counts:
        """The label number that each row truly has, shape (rows,)."""
        return unpack(self.truth)

    @property
    def decided_labels(self) -> Counts:
        """The label number that each row was given, shape (rows,)."""
        return unpack(self.decided)

    def cells(self, labels: int) -> tuple[tuple[int, ...], ...]:
        """Return the confusion matrix of the rows; empty where a label number is out of range."""
        truth, decided = self.true_labels, self.decided_labels
        if max(truth.max(initial=0), decided.max(initial=0)) >= labels:
            return ()
        return tuple(map(tuple, confusion_cells(truth, decided, labels).tolist()))


def rowwise(
    truth: Counts, decided: Counts, groups: Mapping[str, Grouping], *, order: Sequence[int]
) -> Rowwise:
    """Return the rows of a report, brought into ``order``.

    Parameters
    ----------
    truth, decided : label numbers, shape (rows,)
    groups : by name; their rows are in ``order`` already
    order : the places of the rows, of ``Rows.order``
    """
    places = np.asarray(order, dtype=np.int64)
    return Rowwise(
        rows=len(truth), truth=pack(truth[places]), decided=pack(decided[places]), groups=dict(groups)
    )


def pack(numbers: Counts) -> str:
    """Return small numbers that are not negative as text: 16 bits each, compressed, base 64."""
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < 1 << 16:
        raise ValueError("only numbers from 0 to 65,535 can be packed")
    return base64.b64encode(zlib.compress(numbers.astype("<u2").tobytes(), 6)).decode()


def unpack(packed: str) -> Counts:
    """Return the numbers of ``pack``.

    Raises ValueError for a text that is none.
    """
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(base64.b64decode(packed, validate=True), MAX_BYTES)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"a packed column is damaged: {error}") from error
    if not stream.eof or stream.unused_data or len(data) % 2:
        raise ValueError("a packed column is cut short, or goes on after its end")
    return np.frombuffer(data, "<u2").astype(np.int64)

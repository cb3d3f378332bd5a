"""Two versions on the same rows: which decisions changed, and the changes that matter most."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from assay.exceptions import DataError
from assay.frozen import Frozen

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade, Judged

MOST = 20
SHOWN = 90
"""Characters of a text that a line shows."""


class Answer(Frozen):
    """One version's answer to one text; ``score`` is the probability of the label, 1 where a rule decided."""

    label: str
    score: float
    decided_by: str
    """``model``, or the id of the rule."""

    def __str__(self) -> str:
        how = f"{self.score:.4f}" if self.decided_by == "model" else f"rule {self.decided_by}"
        return f"{self.label} ({how})"


class Change(Frozen):
    """One text that two versions answer differently, the first one's answer first."""

    text: str
    truth: str
    first: Answer
    second: Answer
    moved: float
    """The largest change of a label's probability."""

    def line(self) -> str:
        """Return the change for people, on one line."""
        text = " ".join("".join(c if c.isprintable() else " " for c in self.text).split())
        shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
        sides = (self.first.label == self.truth, self.second.label == self.truth)
        verdict = {(False, True): "mended", (True, False): "broken"}.get(
            sides, "right" if sides[0] else "wrong"
        )
        return f"{verdict:6}  {self.first} -> {self.second}  truly {self.truth}: {shown}"


class Changes(Frozen):
    """What changes between two versions on labelled rows."""

    rows: int = Field(ge=0)
    flips: int = Field(ge=0)
    """Rows that are given another label."""
    mended: int = Field(ge=0)
    broken: int = Field(ge=0)
    """Flips that became right, or wrong."""
    largest: tuple[Change, ...]
    """Other labels first, then the largest moves of a probability."""

    def lines(self) -> Iterator[str]:
        """Yield the changes for people."""
        if not self.rows:
            yield "There are no rows to compare decisions on."
            return
        yield (
            f"{self.flips:,} of {self.rows:,} decisions differ ({self.flips / self.rows:.2%}): "
            f"{self.mended:,} mended, {self.broken:,} broken."
        )
        if self.largest:
            yield f"The {len(self.largest)} that changed most:"
            yield from (f"  {change.line()}" for change in self.largest)


def changes_between(first: "Cascade", second: "Cascade", rows: "Rows", *, most: int = MOST) -> Changes:
    """Return what changes from one version to another on labelled rows.

    Parameters
    ----------
    first, second : decide between the same labels, in any order
    rows : labelled texts
    most : how many single changes are listed

    Raises DataError for two versions with different labels.
    """
    if set(first.labels) != set(second.labels):
        raise DataError(
            f"The versions decide between different labels, {sorted(first.labels)} and "
            f"{sorted(second.labels)}, so their decisions cannot be compared."
        )
    judged = first.judge(rows.texts), second.judge(rows.texts)
    columns = [second.labels.index(label) for label in first.labels]
    moved = np.abs(judged[0].probabilities - judged[1].probabilities[:, columns]).max(axis=1, initial=0.0)
    given = [np.array(side.labels, dtype=object) for side in judged]
    flipped, truth = given[0] != given[1], np.array(rows.labels, dtype=object)
    # Equal moves keep the order that depends on nothing but the rows.
    order = np.array(rows.order, dtype=np.int64)
    ranked = order[np.lexsort((-moved[order], ~flipped[order]))]
    changed = [at for at in ranked.tolist() if flipped[at] or moved[at] > 0]
    return Changes(
        rows=len(rows),
        flips=int(flipped.sum()),
        mended=int((flipped & (given[1] == truth)).sum()),
        broken=int((flipped & (given[0] == truth)).sum()),
        largest=tuple(
            Change(
                text=rows.texts[at],
                truth=rows.labels[at],
                first=_answer(first, judged[0], at),
                second=_answer(second, judged[1], at),
                moved=float(moved[at]),
            )
            for at in changed[:most]
        ),
    )


def _answer(cascade: "Cascade", judged: "Judged", at: int) -> Answer:
    label, rule = judged.labels[at], int(judged.rules[at])
    return Answer(
        label=label,
        score=float(judged.probabilities[at, cascade.labels.index(label)]),
        decided_by="model" if rule < 0 else cascade.rules.deciding[rule].id,
    )

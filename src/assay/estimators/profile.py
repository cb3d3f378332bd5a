"""What a version decided on rows that it was not trained on, frozen: the baseline of drift."""

from typing import Literal, NamedTuple

from assay.config import Frozen


class Observation(NamedTuple):
    """What drift looks at of one decision; ``telemetry.Record`` has the same fields."""

    label: str
    score: float | None
    confidence: float
    threshold: float | None
    rule: str | None
    characters: int
    unknown: float | None


class Reference(Frozen):
    """One statistic: how many reference rows fell into each bin.

    ``kind`` is ``categories`` (``labels`` names the bins) or ``numbers`` (``edges`` part them, ascending: bin
    i holds values x with edges[i-1] <= x < edges[i]).
    """

    name: str
    kind: Literal["categories", "numbers"]
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...]


class Profile(Frozen):
    """The statistics of one version on its held-out rows."""

    format: Literal[1] = 1
    task: str
    rows: int
    statistics: tuple[Reference, ...]

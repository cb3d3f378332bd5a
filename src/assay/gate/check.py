"""One check of a decision."""

from assay.frozen import Frozen


class Check(Frozen):
    """One thing that a candidate must show: observed, required, and a sentence for people."""

    name: str
    observed: int | float | str | None
    required: int | float | str | None
    passed: bool
    sentence: str

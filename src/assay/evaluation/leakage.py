"""Leakage: held-out rows that the model has seen, or nearly so."""

from pydantic import Field

from assay.config import Frozen
from assay.evaluation.intervals import Interval


class Leakage(Frozen):
    """How many held-out rows the model was trained on, and how many resemble a training row."""

    rows: int = Field(ge=0)
    seen: int | None = Field(None, ge=0)
    """Rows whose exact text the model was trained on; None where the artifact does not say (imported)."""
    near: int | None = Field(None, ge=0)
    """Rows that nearly repeat a training row of the data as it is now; None where it was not given."""
    accuracy_apart: Interval | None = None
    f1_apart: Interval | None = None
    """Accuracy and F1 on the rows that neither were seen nor resemble a training row."""

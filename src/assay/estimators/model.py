"""What a cascade asks of a model, whatever it is made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.estimators.linear import EvidenceWeights, Floats, Link
from assay.frozen import Frozen


class Model(Protocol):
    """Turns texts into logits; a text's logits do not depend on the texts beside it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns of probabilities."""

    @property
    def link(self) -> Link:
        """What turns logits into probabilities."""

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the evidence rules whose hits are features, in the order of their columns."""

    @property
    def evidence(self) -> EvidenceWeights | None:
        """The weights of those rules; None where the model has none."""

    @property
    def spec(self) -> Frozen:
        """What the model is made of, beside its weights: the content of model.json."""

    @property
    def costly(self) -> bool:
        """Whether a text takes milliseconds, so that an event loop must not wait for it."""

    @property
    def tolerance(self) -> float:
        """How far a probability may lie from the one recorded where the model was made."""

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> Floats:
        """Return the logits of each text, shape (texts, logits), from hits of shape (texts, rules)."""

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> tuple[float, ...]:
        """Return one text's logits; ``evidence`` holds the numbers of the rules that hit it."""

    def write(self, folder: Path) -> None:
        """Write the model's files into an artifact folder, all but model.json."""

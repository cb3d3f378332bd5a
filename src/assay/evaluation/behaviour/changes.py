"""The changes that behaviour tests make, and when one applies to a text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assay.estimators import fault_of
from assay.evaluation.behaviour.letter_case import capitals, lower_case
from assay.evaluation.behaviour.links import add_link
from assay.evaluation.behaviour.names import change_name
from assay.evaluation.behaviour.negation import negate
from assay.evaluation.behaviour.punctuation import change_punctuation
from assay.evaluation.behaviour.typos import add_typos


@dataclass(frozen=True)
class Change:
    """A known change of a text; ``apply`` gives None for a text that it does not apply to.

    After a change of the kind ``invariance`` the label should be the same; what a change of the kind
    ``direction`` should do, the task says.
    """

    name: str
    kind: Literal["invariance", "direction"]
    told: str
    apply: Callable[[str], str | None]

    def __call__(self, text: str) -> str | None:
        """Return the changed text; None where it would be the same or could not be scored."""
        changed = self.apply(text) if fault_of(text) is None else None
        return changed if changed is not None and changed != text and fault_of(changed) is None else None


CHANGES = (
    Change("typos", "invariance", "a typo in one long word of twenty, at least in one", add_typos),
    Change("lower case", "invariance", "no capital letters", lower_case),
    Change("capitals", "invariance", "capital letters only", capitals),
    Change("names", "invariance", "a first name replaced by another", change_name),
    Change("punctuation", "invariance", "no commas; no mark at the end, or a full stop", change_punctuation),
    Change("negation", "direction", '"not" in every statement that is recognised', negate),
    Change("link", "direction", "a link at the end", add_link),
)
"""Every change, in the order of the report."""

"""What decided the held-out rows: a rule or the model, and how often the rules were right."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assay.evaluation.intervals import Interval, exact_interval
from assay.evaluation.metrics import Counts
from assay.frozen import Frozen


class RuleRows(Frozen):
    """The rows that one rule decided, and how many of them truly have its label."""

    rows: int = Field(ge=0)
    right: int = Field(ge=0)


class DecidedBy(Frozen):
    """How many rows rules and model decided, and the share of each that is right, with its exact interval."""

    rules: int = Field(ge=0)
    model: int = Field(ge=0)
    rules_right: Interval
    model_right: Interval
    by_rule: dict[str, RuleRows] = Field(default_factory=dict)
    """Every deciding rule; a row counts for the first that fires."""

    @property
    def share(self) -> float:
        """The share of rows that a rule decided; 0 without rows."""
        return self.rules / (self.rules + self.model) if self.rules else 0.0

    def lines(self) -> Iterator[str]:
        """Yield one line for people; none where no rule decided."""
        if self.rules:
            yield (
                f"Rules decided {self.rules:,} rows ({self.share:.1%}), right on a share of "
                f"{self.rules_right}; the model decided {self.model:,}, right on {self.model_right}"
            )


def decided_by(right: NDArray[np.bool_], rules: Counts, ids: Sequence[str]) -> DecidedBy:
    """Return what decided each row, and how well.

    Parameters
    ----------
    right : which rows were given their true label, shape (rows,)
    rules : the number of the rule that decided, of ``ids``, or -1 for the model, shape (rows,)
    ids : the deciding rules
    """
    ruled = rules >= 0
    fired = np.bincount(rules[ruled], minlength=len(ids)).tolist()
    hits = np.bincount(rules[ruled & right], minlength=len(ids)).tolist()
    by_rules, by_model = int(ruled.sum()), int((~ruled).sum())
    return DecidedBy(
        rules=by_rules,
        model=by_model,
        rules_right=exact_interval(sum(hits), by_rules, reason="no rule decided a row"),
        model_right=exact_interval(int((right & ~ruled).sum()), by_model, reason="the model decided no row"),
        by_rule={
            rule: RuleRows(rows=rows, right=found) for rule, rows, found in zip(ids, fired, hits, strict=True)
        },
    )

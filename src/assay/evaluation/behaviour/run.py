"""Cascade + held-out rows -> what known changes of their texts do to the decisions."""

from typing import TYPE_CHECKING

from assay.config import BehaviourConfig
from assay.evaluation.behaviour.results import BehaviourTest

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade


def run_behaviour(cascade: "Cascade", rows: "Rows", config: BehaviourConfig) -> tuple[BehaviourTest, ...]:
    """Return what became of the decisions on held-out texts that were changed in known ways."""
    del cascade, rows, config
    return ()

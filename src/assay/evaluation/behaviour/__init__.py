"""Behaviour tests: known changes of a text, and what became of the decision (after Ribeiro et al. 2020)."""

from assay.evaluation.behaviour.must_pass import check_must_pass
from assay.evaluation.behaviour.results import BehaviourTest, Changed, MustPassCase
from assay.evaluation.behaviour.run import run_behaviour

__all__ = [
    "BehaviourTest",
    "Changed",
    "MustPassCase",
    "check_must_pass",
    "run_behaviour",
]

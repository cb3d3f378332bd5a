"""May it ship? Pure: reports and a policy in, a decision with its reasons out."""

from assay.gate.check import Check
from assay.gate.comparison import not_lower
from assay.gate.decide import decide_gate
from assay.gate.decision import GateDecision, Unjudged, terms_of
from assay.gate.pairing import Pair
from assay.gate.slices import SliceComparison

__all__ = [
    "Check",
    "GateDecision",
    "Pair",
    "SliceComparison",
    "Unjudged",
    "decide_gate",
    "not_lower",
    "terms_of",
]

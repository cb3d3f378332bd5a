"""May it ship? Pure: reports and a policy in, a decision with its reasons out."""

from assay.gate.decision import Check, GateDecision, decide_gate

__all__ = ["Check", "GateDecision", "decide_gate"]

"""Policy + the reports of candidate and production version -> passed or blocked, with reasons."""

from assay.config import GatePolicy, MustPass
from assay.evaluation import PairedComparison, Report
from assay.gate.comparison import check_comparison, check_flips
from assay.gate.decision import GateDecision, Unjudged
from assay.gate.floors import check_floors, check_rows
from assay.gate.footing import check_champion, check_footing, check_unseen
from assay.gate.limits import check_limits
from assay.gate.must_pass import check_must_pass
from assay.gate.pairing import Pair
from assay.gate.quantization import check_quantization
from assay.gate.sentences import in_production, opening
from assay.gate.slices import SliceComparison, check_slices, compare_slices


def decide_gate(policy: GatePolicy, candidate: Report, champion: Report | Unjudged | None) -> GateDecision:
    """Return whether a candidate may ship.

    The candidate must reach the policy's floors, keep within its limits, decide every text that must pass
    rightly, and never have been trained on the rows. With a version in production, both are paired row by
    row: nothing that the policy compares may fall, over all rows and within the slices that it names. An
    undefined metric never passes. Values are compared exactly, as the decimals that people read.

    Parameters
    ----------
    policy : what is asked for
    candidate : report of the version that wants to ship
    champion : report of the version in production on the same rows; why there is none where it could not be
        judged, which blocks; None when no version is in production
    """
    checks = [
        check_rows(policy, candidate),
        *check_unseen(candidate, "unseen", "The candidate"),
        *check_floors(policy, candidate),
        *check_limits(policy, candidate),
        *check_quantization(policy, candidate),
        *check_must_pass(candidate),
    ]
    comparison: PairedComparison | None = None
    slices: tuple[SliceComparison, ...] = ()
    if isinstance(champion, Unjudged):
        checks.append(check_champion(champion.version, champion.reason))
    elif champion is not None:
        footing = check_footing(candidate, champion)
        name = opening(in_production(champion.version))
        checks += [*footing, *check_unseen(champion, "unseen_production", name)]
        if all(check.passed for check in footing):
            pair = Pair.of(candidate, champion)
            comparison, slices = pair.compare(), compare_slices(policy, pair)
            checks += check_comparison(policy, candidate, champion, comparison)
            checks += check_slices(policy, pair, slices)
            checks += check_flips(policy, champion, pair)
    return GateDecision(
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
        policy=policy,
        must_pass=tuple(MustPass(text=case.text, label=case.label) for case in candidate.must_pass),
        rows_fingerprint=candidate.rows_fingerprint,
        candidate_version=candidate.version,
        candidate_digest=candidate.digest,
        champion_version=champion.version if champion else None,
        comparison=comparison,
        slices=slices,
    )

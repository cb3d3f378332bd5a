"""What eight bits cost a quantized candidate, and what they may."""

from collections.abc import Iterator
from fractions import Fraction

from assay.config import GatePolicy
from assay.evaluation import Report
from assay.gate.check import Check
from assay.gate.sentences import exact, metric_name, share, shown


def check_quantization(policy: GatePolicy, report: Report) -> Iterator[Check]:
    """Yield whether quantization flipped few enough decisions and cost little enough F1.

    Judged on the validation rows, each network at its own operating point; nothing where the candidate is
    not quantized.
    """
    cost = report.quantization
    if cost is None:
        return
    flips = Fraction(cost.flips, cost.rows)
    before, after = cost.fp32.f1, cost.int8.f1
    loss = exact(before) - exact(after)
    flips_pass = flips <= exact(policy.max_quantization_flips)
    loss_passes = loss <= exact(policy.max_quantization_loss)
    sentence = (
        f"Quantization to int8 changes {cost.flips:,} of {cost.rows:,} decisions on the validation rows "
        f"({share(flips)}; at most {share(policy.max_quantization_flips)} may), and "
        f"{metric_name('f1', report)} goes from {shown(before, against=after)} to "
        f"{shown(after, against=before)} (a loss of up to {policy.max_quantization_loss:g} is allowed)."
    )
    if not (flips_pass and loss_passes):
        sentence += " Train with quantize = 'none', or allow more with the gate.max_quantization keys."
    observed, required = float(flips), policy.max_quantization_flips
    if flips_pass and not loss_passes:
        observed, required = float(loss), policy.max_quantization_loss
    yield Check(
        name="int8",
        observed=observed,
        required=required,
        passed=flips_pass and loss_passes,
        sentence=sentence,
    )

"""Texts whose label is not open to debate."""

from collections.abc import Iterator

from assay.evaluation import MustPassCase, Report
from assay.gate.check import Check

NAMED = 3
"""Failures that the sentence names; the report has all of them."""
LONGEST = 60
"""Characters of a text that the sentence shows."""


def check_must_pass(report: Report) -> Iterator[Check]:
    """Yield whether every text that must pass was decided rightly; nothing where there is none."""
    cases = report.must_pass
    if not cases:
        return
    failed = [case for case in cases if not case.passed]
    sentence = f"All {len(cases):,} texts that must pass are decided rightly."
    if failed:
        more = f"; and {len(failed) - NAMED:,} more" if len(failed) > NAMED else ""
        named = "; ".join(_told(case) for case in failed[:NAMED])
        sentence = f"{len(failed):,} of the {len(cases):,} texts that must pass do not: {named}{more}."
    yield Check(
        name="must_pass",
        observed=len(cases) - len(failed),
        required=len(cases),
        passed=not failed,
        sentence=sentence,
    )


def _told(case: MustPassCase) -> str:
    text = case.text if len(case.text) <= LONGEST else f"{case.text[: LONGEST - 3]}..."
    return f"{text!r} is decided {case.decided!r} instead of {case.label!r}"

"""Whether both versions stand on the same footing: judged at all, by the same rows and labels, none seen."""

from collections.abc import Iterator

from assay.evaluation import Report
from assay.gate.check import Check
from assay.gate.pairing import same_truth
from assay.gate.sentences import gate_again, in_production, opening


def check_champion(version: str, reason: str) -> Check:
    """Return the check that fails when the version in production could not be judged."""
    why = reason.rstrip(".")
    sentence = (
        f"{opening(in_production(version))} could not be judged on these rows ({why}), so nothing "
        "shows that the candidate is no worse. Repair it, go back to an older version (assay rollback), or "
        "promote with an override."
    )
    return Check(name="champion", observed=reason, required="a report", passed=False, sentence=sentence)


def check_unseen(report: Report, name: str, who: str) -> Iterator[Check]:
    """Yield whether a version was never trained on the rows; nothing where the report does not say."""
    if report.leakage is None:
        return
    seen = report.leakage.seen
    sentence = f"{who} was trained on none of these rows."
    if seen is None:
        sentence = (
            f"Whether {who[0].lower() + who[1:]} was trained on these rows is unknown: it does not say."
        )
    elif seen:
        sentence = (
            f"{who} was trained on {seen:,} of these {report.leakage.rows:,} rows, so they cannot judge it. "
            "Hold out rows that it has not seen (another file, or the salt that it was trained with)."
        )
    yield Check(name=name, observed=seen, required=0, passed=not seen, sentence=sentence)


def check_footing(candidate: Report, champion: Report) -> list[Check]:
    """Return whether two reports can be paired row by row: they can when all of these passed."""
    checks = [_same_labels(candidate, champion), _same_rows(candidate, champion)]
    if all(check.passed for check in checks):
        checks += _unpaired(candidate, champion)
    return checks


def _same_labels(candidate: Report, champion: Report) -> Check:
    observed, required = _labels(candidate), _labels(champion)
    passed = observed == required
    sentence = f"Both versions decide between the same labels: {observed}."
    if not passed:
        sentence = (
            f"The candidate decides between {observed}, the version in production between {required}: "
            "one F1 says nothing of the other. Give the task another name, or promote with an override."
        )
    return Check(name="labels", observed=observed, required=required, passed=passed, sentence=sentence)


def _same_rows(candidate: Report, champion: Report) -> Check:
    observed, required = candidate.rows_fingerprint, champion.rows_fingerprint
    passed = observed == required
    sentence = f"Both versions were judged on the same rows (fingerprint {observed[:12]})."
    if not passed:
        sentence = (
            f"The candidate was judged on the rows {observed[:12]}, the version in production on "
            f"{required[:12]}: one F1 says nothing of the other. Evaluate both on the same rows."
        )
    return Check(name="same_rows", observed=observed, required=required, passed=passed, sentence=sentence)


def _unpaired(candidate: Report, champion: Report) -> Iterator[Check]:
    """Yield what keeps the rows of two reports on the same rows from being paired."""
    sides = {"the candidate": candidate, in_production(champion.version): champion}
    lacking = [name for name, report in sides.items() if report.rowwise is None]
    if lacking:
        sentence = (
            f"The report of {' and that of '.join(lacking)} does not hold its rows (an older Assay made it), "
            f"so decisions cannot be paired. Judge both again: {gate_again(candidate)}."
        )
    elif not same_truth(candidate, champion):
        sentence = (
            "Both reports name the same rows and do not agree what is true of them, so decisions cannot be "
            f"paired. Judge both again: {gate_again(candidate)}."
        )
    else:
        return
    yield Check(name="paired", observed=None, required=candidate.rows, passed=False, sentence=sentence)


def _labels(report: Report) -> str:
    listed = ", ".join(sorted(map(repr, report.labels)))
    return f"{listed} (positive: {report.positive!r})" if report.binary else listed

"""The part of a model card that says how decisions behave: on changed texts, and on those that must pass."""

from collections.abc import Iterator

from assay.evaluation.behaviour import BehaviourTest, Changed, MustPassCase
from assay.evaluation.markdown import code, plain, table
from assay.evaluation.report import Report

EXAMPLES = 2
"""Changed texts that a card shows of one test, at most."""
SHOWN = 240
"""Characters of a text that must pass that a card shows, at most."""


def behaviour(report: Report) -> Iterator[str]:
    """Yield what changes of the texts did to the decisions; nothing in a report that did not try any."""
    if not report.behaviour:
        return
    yield "## Behaviour"
    yield ""
    yield (
        "Held-out texts were changed in known ways and decided again. Scores are probabilities of the label "
        f"given before the change, or of {code(report.positive)} where the expectation names it or there is "
        "none; a text that a rule decided counts as certain."
    )
    yield ""
    header = ("Change", "Expected", "Rows", "Share that fails", "Labels that changed", "Mean change of score")
    yield from table(header, [_row(test) for test in report.behaviour], "llrrrr")
    for test in report.behaviour:
        if test.examples:
            yield ""
            yield f"{plain(test.name).capitalize()}, {'failing' if _fails(test) else 'with another label'}:"
            yield ""
            yield from (f"- {_told(example)}" for example in test.examples[:EXAMPLES])


def must_pass(report: Report) -> Iterator[str]:
    """Yield what became of the texts that must be decided rightly; nothing where the task names none."""
    if not report.must_pass:
        return
    failed = sum(not case.passed for case in report.must_pass)
    yield "## Texts that must pass"
    yield ""
    count = f"{len(report.must_pass):,}, of which {failed or 'none'} failed"
    yield f"Texts whose label is not open to debate: {count}."
    yield ""
    rows = [_case(case) for case in report.must_pass]
    yield from table(("Text", "Label", "Decided", "By", "Confidence", "Passed"), rows, "llllrl")


def _row(test: BehaviourTest) -> tuple[str, ...]:
    return (
        plain(f"{test.name}: {test.change}" if test.change else test.name),
        plain(test.expected or "nothing"),
        f"{test.rows:,}",
        "" if test.failures.value is None else str(test.failures),
        f"{test.flips:,}",
        "" if test.shift is None else f"{test.shift:+.4f}",
    )


def _fails(test: BehaviourTest) -> bool:
    return bool(test.failures.value)


def _told(example: Changed) -> str:
    (before, after), (was, now) = map(code, example.labels), example.scores
    labels = f"stays {before}" if before == after else f"{before} becomes {after}"
    return f"{code(example.before)} as {code(example.after)}: {labels}, score {was:.2f} becomes {now:.2f}"


def _case(case: MustPassCase) -> tuple[str, ...]:
    text = case.text if len(case.text) <= SHOWN else f"{case.text[:SHOWN]}…"
    decided = code(case.decided) if case.decided_by else plain(case.decided)
    confidence = f"{case.confidence:.4f}" if case.decided_by else ""
    passed = "yes" if case.passed else "**no**"
    return code(text), code(case.label), decided, plain(case.decided_by), confidence, passed

"""The part of a model card that says what a version and its eight bits cost, and each rule's worth."""

from collections.abc import Iterator

from assay.evaluation.cost import Cost
from assay.evaluation.markdown import code, plain, table
from assay.evaluation.report import Report
from assay.evaluation.rule_book import RuleAccount, RuleBook

RULE_COLUMNS = ("Rule", "For", "Action", "Hits", "Precision", "Corrects", "Spoils", "Verdict")


def cost(report: Report) -> Iterator[str]:
    """Yield time, memory and size; nothing in a report that did not measure them."""
    if report.cost is None:
        return
    yield "## Cost"
    yield ""
    yield f"On this machine: {plain(report.cost.machine)}. Another one is faster or slower."
    yield ""
    yield from table(("What", "Figure"), list(_figures(report.cost)), "lr")


def _figures(found: Cost) -> Iterator[tuple[str, str]]:
    if found.median_ms is not None and found.p99_ms is not None:
        yield f"One text alone, median ({found.texts:,} texts)", f"{found.median_ms:.2f} ms"
        yield "One text alone, 99th percentile", f"{found.p99_ms:.2f} ms"
    if found.texts_per_second is not None:
        yield "Many texts in one call", f"{found.texts_per_second:,.0f} a second"
    yield "Loading, with hashes and golden decisions verified", f"{found.load_ms:,.0f} ms"
    if found.memory_mb is not None:
        yield "Memory that it adds to a process", f"{found.memory_mb:,.1f} MB"
    yield "Size on disk", f"{found.size_mb:,.1f} MB"


def quantization(report: Report) -> Iterator[str]:
    """Yield what eight bits cost; nothing for a model that is not quantized."""
    found = report.quantization
    if found is None:
        return
    yield "## What quantization costs"
    yield ""
    yield (
        f"The network's weights are kept in eight bits. Of the {found.rows:,} validation rows, "
        f"{found.flips:,} ({100 * found.flipped:.3g} %) get another label than before, each network at its "
        f"own threshold. Probabilities moved by {found.mean_difference:.4f} in the mean and by "
        f"{found.largest_difference:.4f} at most."
    )
    yield ""
    before, after = found.fp32, found.int8
    rows = [
        ("F1" if report.binary else "F1, mean over the labels", f"{before.f1:.4f}", f"{after.f1:.4f}"),
        ("Accuracy", f"{before.accuracy:.4f}", f"{after.accuracy:.4f}"),
        ("Size of the network", f"{before.size_mb:,.1f} MB", f"{after.size_mb:,.1f} MB"),
    ]
    yield from table(("What", "fp32", "int8"), rows, "lrr")


def rule_account(report: Report) -> Iterator[str]:
    """Yield what each rule is worth on the held-out rows; nothing without rules."""
    book = report.rule_account
    if book is None:
        return
    yield "## What each rule is worth"
    yield ""
    yield (
        f"On the {book.rows:,} held-out rows, each rule by itself beside the model alone: how many rows it "
        "hits, the share of these that truly have its label, and how many of the model's decisions it "
        f"corrects and spoils.{_together(book)}"
    )
    if hitting := [account for account in book.accounts if account.hits]:
        yield ""
        yield from table(RULE_COLUMNS, [_cells(account) for account in hitting], "lllrrrrl")
    if told := list(book.sentences()):
        yield ""
        yield from (f"- {plain(line)}" for line in told)


def _together(book: RuleBook) -> str:
    right = f", right on {book.right.text(3)}" if book.decided else ""
    cost = (
        "" if book.microseconds is None else f" All rules in one pass take {book.microseconds:.1f} µs a text."
    )
    return f" Together the deciding ones decide {book.decided:,} rows{right}.{cost}"


def _cells(account: RuleAccount) -> tuple[str, ...]:
    """Return an account as a row of the table; what was not measured is empty."""
    return (
        code(account.id),
        code(account.label),
        account.action,
        f"{account.hits:,}",
        account.precision.text(3),
        "" if account.corrects is None else f"{account.corrects:,}",
        "" if account.spoils is None else f"{account.spoils:,}",
        ", ".join(account.verdicts),
    )

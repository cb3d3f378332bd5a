"""Cost and rules on the model card: every figure once, nothing where nothing was measured."""

import pytest

from assay.datasets import Rows
from assay.evaluation import Cost, Report, RuleBook, account_of, render_card
from assay.evaluation.card_cost import cost, rule_account
from tests.evaluation.made_up import Tuned, random_report

COST = Cost(
    machine="Some CPU | a kind, 2 cores",
    texts=200,
    median_ms=0.244,
    p99_ms=0.712,
    texts_per_second=6681.3,
    load_ms=1030.2,
    memory_bytes=6_812_000,
    size_bytes=1_800_000,
)
REPORT = random_report(40, ["ham", "spam"])


@pytest.fixture(scope="module")
def book(tuned_spam: Tuned, held_out: Rows) -> RuleBook:
    """The account of three rules that decide."""
    found = account_of(tuned_spam.cascade, held_out)
    assert found is not None
    return found


def costing(found: Cost) -> str:
    """Return the section of a cost."""
    return "\n".join(cost(REPORT.model_copy(update={"cost": found})))


def accounting(found: RuleBook) -> str:
    """Return the section of a rule account."""
    return "\n".join(rule_account(REPORT.model_copy(update={"rule_account": found})))


def test_the_cost_is_a_table_of_what_was_measured() -> None:
    assert costing(COST).splitlines() == [
        "## Cost",
        "",
        "On this machine: Some CPU &#124; a kind, 2 cores. Another one is faster or slower.",
        "",
        "| What | Figure |",
        "| --- | ---: |",
        "| One text alone, median (200 texts) | 0.24 ms |",
        "| One text alone, 99th percentile | 0.71 ms |",
        "| Many texts in one call | 6,681 a second |",
        "| Loading, with hashes and golden decisions verified | 1,030 ms |",
        "| Memory that it adds to a process | 6.8 MB |",
        "| Size on disk | 1.8 MB |",
    ]


def test_what_was_not_measured_has_no_row() -> None:
    bare = Cost(machine="m", texts=0, load_ms=3, size_bytes=0)
    rows = [line for line in costing(bare).splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| Loading, with hashes and golden decisions verified",
        "| Size on disk",
    ]


def test_without_cost_or_rules_the_card_has_no_such_section() -> None:
    assert list(cost(REPORT)) == list(rule_account(REPORT)) == []
    card = render_card(REPORT)
    assert "## Cost" not in card
    assert "## What each rule is worth" not in card


def test_each_rule_that_hits_has_a_row(book: RuleBook) -> None:
    section = accounting(book)
    for account in book.accounts:
        figures = (
            f"{account.hits:,} | {account.precision.text(3)} | {account.corrects:,} | {account.spoils:,}"
        )
        verdicts = ", ".join(account.verdicts)
        row = f"| `{account.id}` | `{account.label}` | decide | {figures} | {verdicts} |"
        assert (row in section) == bool(account.hits)
    assert f"decide {book.decided:,} rows, right on {book.right.text(3)}." in section
    assert f"All rules in one pass take {book.microseconds:.1f} µs a text." in section


def test_rules_to_look_at_are_named(book: RuleBook) -> None:
    first, second, third = book.accounts
    dead = first.model_copy(update={"hits": 0, "verdicts": ("dead",)})
    harmful = second.model_copy(update={"corrects": 1, "spoils": 4, "verdicts": ("harmful",)})
    section = accounting(book.model_copy(update={"accounts": (dead, harmful, third)}))
    assert f"- Dead, without a hit on these rows: {first.id}." in section
    assert f"{second.id} (4 against 1)." in section
    assert f"| `{first.id}`" not in section


def test_evidence_that_was_not_left_out_has_empty_cells(book: RuleBook) -> None:
    given = book.accounts[1].model_copy(update={"corrects": None, "spoils": None, "action": "evidence"})
    section = accounting(book.model_copy(update={"accounts": (given,)}))
    assert f"| evidence | {given.hits} | {given.precision.text(3)} |  |  |" in section


def test_rules_without_a_row_are_told_without_a_table(tuned_spam: Tuned) -> None:
    book = account_of(tuned_spam.cascade, Rows([], []))
    assert book is not None
    section = accounting(book)
    assert "Together the deciding ones decide 0 rows." in section
    assert "| Rule" not in section
    assert "µs" not in section


def test_a_report_with_both_has_both_sections(tuned_report: Report, book: RuleBook) -> None:
    card = render_card(tuned_report.model_copy(update={"cost": COST, "rule_account": book}))
    assert card.index("## What each rule is worth") < card.index("## Cost") < card.index("## Data")

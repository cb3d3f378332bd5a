import json

from assay.datasets.validation import KINDS, ROWS_NAMED, Ledger, name_rows


def test_an_audit_adds_up_and_names_rows_and_files() -> None:
    ledger = Ledger()
    ledger.note("empty", 3, file="a.csv")
    ledger.note("duplicate", 9)
    ledger.note("duplicate", 12)
    ledger.note("duplicate", 14, dropped=False)
    ledger.note_class("spam", "test", 2, 20)
    audit = ledger.audit(50)
    assert (audit.rows_read, audit.rows_kept) == (50, 47)
    assert audit.lines() == [
        "50 rows read, 47 kept, 3 dropped",
        "  empty: 1 dropped with an empty or missing text (row 3 of a.csv)",
        "  duplicate: 2 dropped with the same text and label as an earlier row (rows 9, 12)",
        "  duplicate: 1 kept with the same text and label as an earlier row (row 14)",
        "  too_few: the label 'spam' has 2 rows on the test side; with fewer than 20, what is learned or "
        "measured there means little",
        "  (row 1 is the first after the header; in JSON Lines, rows are lines)",
    ]
    assert Ledger().audit(5).lines() == ["5 rows read, 5 kept, 0 dropped"]


def test_a_finding_holds_the_first_rows_and_the_whole_count() -> None:
    ledger = Ledger()
    for row in range(1, 101):
        ledger.note("ragged", row)
    (finding,) = ledger.audit(100).findings
    assert finding.count == 100
    assert finding.rows == tuple(range(1, ROWS_NAMED + 1))
    assert "rows 1, 2, 3, 4, 5 and 95 more" in finding.message


def test_rows_are_named_as_people_would() -> None:
    assert name_rows((7,), 1) == "row 7"
    assert name_rows((1, 2, 3, 4, 5), 5) == "rows 1, 2, 3, 4, 5"
    assert name_rows((1, 2, 3, 4, 5, 6), 6) == "rows 1, 2, 3, 4, 5 and 1 more"


def test_an_audit_becomes_json() -> None:
    ledger = Ledger()
    ledger.note("empty", 3)
    values = json.loads(json.dumps(ledger.audit(9).to_dict()))
    assert values["findings"][0]["rows"] == [3]


def test_findings_keep_the_order_of_kinds() -> None:
    ledger = Ledger()
    for kind in reversed(KINDS):
        ledger.note(kind, 1)
    assert [finding.kind for finding in ledger.audit(99).findings] == list(KINDS)

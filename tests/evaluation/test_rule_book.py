from assay.evaluation import Interval, RuleAccount, RuleBook
from assay.evaluation.intervals import exact_interval


def account(name: str, *verdicts: str, **more: object) -> RuleAccount:
    """Return the account of a rule that hits 20 rows, 19 of them rightly."""
    values = {
        "id": name,
        "label": "spam",
        "action": "decide",
        "hits": 20,
        "precision": exact_interval(19, 20, reason="?"),
        "recall": exact_interval(19, 1000, reason="?"),
        "corrects": 1234,
        "spoils": 0,
        "caught": 3,
        "false_alarms": -2,
        "overlap": 0.5,
        "overlaps_with": "other",
        "microseconds": 1.25,
        "verdicts": verdicts,
    }
    return RuleAccount.model_validate(values | more)


OFF = Interval(value=None, reason="expired")
BOOK = RuleBook(
    rows=2000,
    decided=40,
    right=exact_interval(38, 40, reason="?"),
    microseconds=3.14,
    accounts=(
        account("win"),
        account("free", "harmful", spoils=1300, corrects=7),
        account("gone", "dead", hits=0, overlap=None, precision=OFF),
        account("twin-one", "redundant"),
        account("twin-two", "redundant"),
        account(
            "mark", action="evidence", corrects=None, spoils=None, caught=None, false_alarms=0, overlap=0.0
        ),
        RuleAccount(
            id="old", label="ham", action="decide", hits=0, precision=OFF, recall=OFF, verdicts=("expired",)
        ),
    ),
)


def test_lines_are_a_head_a_table_and_a_sentence_for_each_kind_of_trouble() -> None:
    lines = BOOK.lines()
    assert lines[:2] == [
        "6 active rules on 2,000 labelled rows; all in one pass: 3.1 us a text",
        "Together they decide 40 rows (2.0%), right on 0.950 (0.831 to 0.994).",
    ]
    assert lines[-4:] == [
        "Dead, without a hit on these rows: gone.",
        "Harmful, spoiling more of the model's decisions than they correct: free (1,300 against 7).",
        "Redundant, every hit being decided alike by other rules: twin-one, twin-two. Take out one at a "
        "time: they may stand in for each other.",
        "Expired and off: old.",
    ]
    assert len(lines) == 2 + 1 + len(BOOK.accounts) + 4


def test_columns_line_up() -> None:
    header, *rows = BOOK.lines()[2:10]
    assert header.split()[:4] == ["rule", "label", "action", "hits"]
    for name, cell in (("label", "spam"), ("action", "decide")):
        assert {row[header.index(name) :].split()[0] for row in rows} - {cell} <= {"ham", "evidence"}
    assert rows[0].split() == [
        *(
            "win",
            "spam",
            "decide",
            "20",
            "0.950",
            "(0.751",
            "to",
            "0.999)",
            "0.019",
            "(0.011",
            "to",
            "0.030)",
        ),
        *("1,234", "0", "+3", "-2", "50%", "other", "1.2", "us"),
    ]


def test_what_was_not_measured_is_left_empty() -> None:
    rows = {line.split()[0]: line.split()[1:] for line in BOOK.lines()[3:10]}
    assert rows["old"] == ["ham", "decide", "expired"]
    assert rows["gone"][2:6] == ["0", "0.019", "(0.011", "to"]
    assert rows["mark"][11:] == ["0", "0%", "other", "1.2", "us"]


def test_a_book_without_trouble_has_no_sentence() -> None:
    book = BOOK.model_copy(update={"accounts": BOOK.accounts[:1], "microseconds": None})
    assert book.lines()[0] == "1 active rule on 2,000 labelled rows"
    assert len(book.lines()) == 4


def test_one_redundant_rule_needs_no_care() -> None:
    book = BOOK.model_copy(update={"accounts": BOOK.accounts[3:4]})
    assert book.lines()[-1] == "Redundant, every hit being decided alike by other rules: twin-one."


def test_the_gain_is_what_is_corrected_less_what_is_spoiled() -> None:
    assert [each.gain for each in BOOK.accounts[:2]] == [1234, -1293]
    assert BOOK.accounts[5].gain is None

import pytest

from assay.evaluation import Leakage, Report, render_card
from assay.evaluation.decided_by import RuleRows
from tests.evaluation.made_up import random_report, report_of

FACTS = {
    "name": "sms-spam",
    "fingerprint": "ab" * 32,
    "source": "a wheel",
    "licence": "CC BY 4.0",
    "citation": "Almeida and others (2011)",
    "counts": {"validation": {"ham": 10}, "train": {"ham": 1000, "spam": 200}},
    "audit": {
        "rows_read": 5574,
        "rows_kept": 5171,
        "findings": [{"message": "duplicate: 403 dropped with the same text <b>"}],
    },
}
TRAINING = {"seconds": 1.25, "git_commit": "c" * 40, "libraries": {"scikit-learn": "1.9.0"}}
REPORT = random_report(200, ["ham", "spam"], dataset=FACTS, training=TRAINING)


def section(card: str, title: str) -> str:
    return card.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_card_has_its_sections_in_a_reading_order() -> None:
    card = render_card(REPORT, gate=["Gate passed"])
    titles = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert titles == [
        "Results",
        "Gate",
        "Each label",
        "What became of the held-out rows",
        "Slices",
        "What the scores mean",
        "Data",
        "What it may have seen before",
        "Training",
        "Reproduce",
        "Limits",
    ]
    assert card.startswith("# MailClassifier version 7\n\nWanted or not.\n")
    assert "\n\n\n" not in card


def test_the_card_says_what_is_decided_and_at_which_threshold() -> None:
    card = render_card(REPORT)
    assert "it decides: `ham` or `spam`." in card
    assert "`spam` when the probability of that label is 0.5 or more" in card
    several = render_card(random_report(90, ["a", "b", "c"]))
    assert "one of `a`, `b`, `c`" in several
    assert "the label with the highest probability" in several


def test_results_show_each_metric_with_its_interval() -> None:
    found = section(render_card(REPORT), "Results")
    f1 = REPORT.metrics["f1"]
    assert f"| F1, `spam` | {f1.value:.4f} | ({f1.low:.4f} to {f1.high:.4f}) |" in found
    assert found.count("\n| ") == 2 + 7
    assert "| 95 % interval |" in found


def test_rules_operating_point_and_calibration_have_sections(tuned_report: Report) -> None:
    card = render_card(tuned_report)
    titles = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert titles[1] == "Operating point"
    assert titles[4:7] == ["Slices", "What decided", "What the scores mean"]
    assert "A rule that fires decides; the model decides the rest." in card
    goal = section(card, "Operating point")
    assert "- Goal recall &gt;= 0.9: " in goal
    assert "- Review band 0.2 to 1: " in goal
    decided = section(card, "What decided")
    found = tuned_report.decided_by
    assert f"| rules | {found.rules} | {found.rules_right} |\n| model | {found.model} |" in decided
    assert f"| `prize-claim` | {found.by_rule['prize-claim'].rows} | " in decided
    assert "decided none" not in decided


def test_silent_rules_are_counted_not_listed(tuned_report: Report) -> None:
    found = tuned_report.decided_by
    silent = {rule: RuleRows(rows=0, right=0) for rule in found.by_rule}
    quiet = found.model_copy(update={"by_rule": silent})
    decided = section(render_card(tuned_report.model_copy(update={"decided_by": quiet})), "What decided")
    assert "| Rule |" not in decided
    assert "Deciding rules that decided none of these rows: 3." in decided


def test_scores_are_explained_with_their_figures(tuned_report: Report) -> None:
    found, meant = tuned_report.calibration, section(render_card(tuned_report), "What the scores mean")
    assert f"On the {found.rows} rows that the model decided (probability of spam):" in meant
    assert f"- Brier score {found.brier}: " in meant
    assert f"- Expected calibration error {found.ece}: " in meant
    assert f"an error of {found.ece_by_chance:.4f} by chance" in meant
    assert "served as they are" in meant
    sigmoid = tuned_report.model_copy(update={"calibration": found.model_copy(update={"method": "sigmoid"})})
    assert "calibrated by a sigmoid curve" in section(render_card(sigmoid), "What the scores mean")


def test_thresholds_of_more_labels_are_told() -> None:
    report = random_report(90, ["a", "b", "c"]).model_copy(
        update={"thresholds": {"a": 0.25, "b": 0.5, "c": 0.25}}
    )
    assert "the largest multiple of its threshold: `a` 0.25, `b` 0.5, `c` 0.25." in render_card(report)


def test_an_older_report_has_no_section_for_what_it_lacks() -> None:
    old = REPORT.model_copy(update={"calibration": None, "decided_by": None})
    card = render_card(old)
    assert "What the scores mean" not in card
    assert "What decided" not in card


def test_labels_and_confusion_are_tables() -> None:
    card = render_card(REPORT)
    ham, spam = REPORT.confusion
    assert f"| `ham` | {ham[0]} | {ham[1]} |\n| `spam` | {spam[0]} | {spam[1]} |" in card
    recall = REPORT.per_class["ham"].recall
    assert str(recall) in section(card, "Each label")


def test_data_are_named_counted_and_accounted_for() -> None:
    found = section(render_card(REPORT), "Data")
    for fact in ("sms-spam", "a wheel", "CC BY 4.0", "Almeida and others (2011)", "ab" * 32):
        assert fact in found
    assert "| train | 1,000 | 200 | 1,200 |\n| validation | 10 | 0 | 10 |" in found
    assert "5,574 rows were read and 5,171 kept." in found
    assert "- duplicate: 403 dropped with the same text &lt;b&gt;" in found


def test_training_can_be_repeated_from_the_card() -> None:
    card = render_card(REPORT)
    assert "- Time: 1.2 s" in card
    assert "- Libraries: scikit-learn 1.9.0" in card
    assert "| `word_ngrams` | `[1, 2]` |" in card
    assert f"git checkout {'c' * 40}\nassay train model/task.toml" in section(card, "Reproduce")
    assert "50 bootstrap resamples of the held-out rows, seed 0" in card


def test_a_dirty_commit_is_checked_out_by_its_commit() -> None:
    card = render_card(random_report(20, ["ham", "spam"], training={"git_commit": "c" * 40 + "-dirty"}))
    assert f"git checkout {'c' * 40}\n" in card
    assert "changes that no commit holds" in card


def test_the_gate_is_shown_only_when_it_was_asked() -> None:
    assert "Gate blocked\n  FAIL  F1" in render_card(REPORT, gate=["Gate blocked", "  FAIL  F1"])
    assert "## Gate" not in render_card(REPORT)


def test_undefined_metrics_say_why() -> None:
    card = render_card(report_of(["ham"], [[0.9, 0.1]]))
    assert "Undefined: there are no rows." in render_card(report_of([], []))
    assert "- ROC-AUC, `spam` is undefined: no row has the label 'spam'." in card
    assert "nan" not in card.lower().replace("finance", "")


@pytest.mark.parametrize(("rows", "warned"), [(90, True), (2000, False)])
def test_few_rows_are_a_stated_limit(rows: int, warned: bool) -> None:
    assert ("Its figures are uncertain." in render_card(random_report(rows, ["ham", "spam"]))) is warned


def test_many_labels_leave_the_matrix_to_the_plot() -> None:
    card = render_card(random_report(200, [f"intent-{number}" for number in range(13)]))
    assert "Truth \\ Decision" not in card
    assert "plots/confusion_matrix.png" in card


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (0, "200 rows that it was not trained on, "),
        (None, "200 held-out rows, "),
        (7, "200 rows, 7 of which it was trained on, so that its figures flatter it, "),
    ],
)
def test_the_head_says_whether_the_rows_were_seen(seen: int | None, told: str) -> None:
    report = REPORT.model_copy(update={"leakage": Leakage(rows=200, seen=seen)})
    assert f"evaluated on {told}" in render_card(report)

from assay.estimators import ThresholdTable
from assay.evaluation import table_lines
from assay.evaluation.threshold_table import shown_rows
from tests.evaluation.made_up import random_sample, tables_for

LABELS = ("ham", "spam")
[TABLE] = tables_for("precision >= 0.8", random_sample(500, 2), LABELS)


def moved(threshold: float) -> ThresholdTable:
    """Return the table with another threshold chosen."""
    return TABLE.model_copy(update={"chosen": TABLE.chosen.model_copy(update={"threshold": threshold})})


def test_rows_near_the_chosen_one_are_shown_each_and_far_ones_thinly() -> None:
    shown = [row.threshold for row in shown_rows(moved(0.5))]
    assert shown == [
        *(0.16, 0.29, 0.37, 0.42, 0.45, 0.47, 0.48, 0.49, 0.5),
        *(0.51, 0.52, 0.53, 0.55, 0.58, 0.63, 0.71, 0.84),
    ]


def test_a_chosen_threshold_at_the_edge_has_neighbours_on_one_side() -> None:
    assert [row.threshold for row in shown_rows(moved(0.005))][:3] == [0.005, 0.01, 0.02]
    assert shown_rows(moved(0.995))[-1].threshold == 0.995


def test_a_threshold_of_the_grid_is_shown_once() -> None:
    shown = [row.threshold for row in shown_rows(moved(0.5))]
    assert len(shown) == len(set(shown))


def test_lines_say_what_was_chosen_how_sure_it_is_and_what_else_there_is() -> None:
    head, *rest = table_lines(TABLE)
    chosen = TABLE.chosen
    assert head == (
        f"'spam': threshold {chosen.threshold:.4g} (95 % interval {TABLE.low:.4g} to {TABLE.high:.4g}), "
        "chosen for the goal 'precision >= 0.8'"
    )
    value, low, high = TABLE.metrics["precision"]
    assert rest[0] == f"  precision  {value:.4f} ({low:.4f} to {high:.4f})"
    assert rest[4] == (
        "  alerts     {:.1f} ({:.1f} to {:.1f}) of 1,000 texts a day".format(
            *(1000 * share for share in TABLE.metrics["alerts"])
        )
    )
    assert rest[5].split() == [
        *("threshold", "caught", "false", "alarms", "missed", "left", "alone"),
        *("precision", "recall", "F1", "accuracy", "alerts", "a", "day"),
    ]
    [marked] = [line for line in rest if line.startswith("  >")]
    assert marked.split()[1:4] == [
        f"{chosen.threshold:.4f}",
        str(chosen.true_positives),
        str(chosen.false_positives),
    ]


def test_columns_of_the_table_line_up() -> None:
    table = table_lines(TABLE)[6:]
    assert len({len(line) for line in table}) == 1


def test_resamples_that_miss_the_goal_are_told() -> None:
    told = table_lines(TABLE.model_copy(update={"unreached": 12}))
    assert told[1] == "In 12 of 1,000 resamples no threshold reached the goal."


def test_an_interval_that_no_resample_gave_is_left_out() -> None:
    head = table_lines(TABLE.model_copy(update={"low": None, "high": None}))[0]
    assert head == f"'spam': threshold {TABLE.chosen.threshold:.4g}, chosen for the goal 'precision >= 0.8'"


def test_undefined_shares_are_left_empty() -> None:
    row = TABLE.rows[-1].model_copy(
        update={"threshold": 0.999, "true_positives": 0, "false_positives": 0, "false_negatives": 9}
    )
    [last] = table_lines(TABLE.model_copy(update={"rows": (row,), "chosen": row}))[-1:]
    assert "0.9990  0" in " ".join(last.split()).replace(" ", "  ", 2)[2:]

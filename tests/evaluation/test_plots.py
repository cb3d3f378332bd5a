import subprocess
import sys
import zlib

import pytest

from assay.evaluation import Report, threshold_plot
from assay.evaluation.plots import PLOTS, draw
from assay.exceptions import MissingExtra
from tests.evaluation.made_up import random_report, random_sample, report_of, tables_for

REPORTS = {
    "two labels": random_report(120, ["ham", "spam"]),
    "three labels": random_report(120, ["a", "b", "c"]),
    "many labels": random_report(400, [f"intent {number}" for number in range(24)]),
    "odd labels": random_report(60, ["日本語 $\\frac$", "$x^{$ a|b_c <d> — and goes on and on"]),
    "one class": report_of(["ham"], [[0.9, 0.1]]),
    "no rows": report_of([], []),
}


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG, each with its checksum verified."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == int.from_bytes(png[at + 8 + size : at + 12 + size], "big")
        found.append((kind, content))
        at += 12 + size
    return found


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_every_report_can_be_drawn(report: Report, name: str) -> None:
    found = chunks(draw(name, report))
    assert found[0][0] == b"IHDR"
    assert found[-1][0] == b"IEND"


def test_a_report_with_rules_can_be_drawn(tuned_report: Report) -> None:
    for name in PLOTS:
        assert chunks(draw(name, tuned_report))[-1][0] == b"IEND"


def test_calibration_that_was_not_measured_is_said() -> None:
    old = REPORTS["two labels"].model_copy(update={"calibration": None})
    assert draw("reliability", old) != draw("reliability", REPORTS["no rows"])


@pytest.mark.parametrize("count", [2, 3])
def test_every_table_of_thresholds_can_be_drawn(count: int) -> None:
    labels = ("ham", "spam $x$", "日本語")[:count]
    for table in tables_for("max f1", random_sample(200, count), labels):
        assert chunks(threshold_plot(table))[0][0] == b"IHDR"


def test_a_plot_of_thresholds_shows_the_chosen_one_with_its_interval() -> None:
    [table] = tables_for("max f1", random_sample(200, 2), ("ham", "spam"))
    changes = [
        {"chosen": table.rows[80]},
        {"low": None, "high": None},
        {"texts_a_day": 77},
        {
            "rows": (
                table.rows[0].model_copy(update={"true_positives": 0, "false_positives": 0}),
                *table.rows[1:],
            )
        },
    ]
    drawn = {threshold_plot(table.model_copy(update=change)) for change in ({}, *changes)}
    assert len(drawn) == 5
    assert threshold_plot(table) in drawn


def test_a_chosen_threshold_without_alerts_can_be_drawn() -> None:
    [table] = tables_for("fixed", random_sample(60, 2), ("ham", "spam"))
    silent = table.chosen.model_copy(update={"true_positives": 0, "false_positives": 0})
    assert chunks(threshold_plot(table.model_copy(update={"chosen": silent})))[-1][0] == b"IEND"


def test_a_plot_says_nothing_of_the_machine() -> None:
    kinds = {kind for kind, _ in chunks(draw("roc", REPORTS["two labels"]))}
    assert kinds == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_report_gives_the_same_bytes(name: str) -> None:
    import matplotlib as mpl

    first = draw(name, REPORTS["two labels"])
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "black", "font.size": 30}):
        assert draw(name, REPORTS["two labels"]) == first
    assert draw(name, random_report(120, ["ham", "spam"], seed=1)) != first


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 31}):
        draw("scores", REPORTS["two labels"])
        assert mpl.rcParams["font.size"] == 31


def test_plots_open_no_window_and_import_nothing_early() -> None:
    code = (
        "import sys, assay.evaluation\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from assay.evaluation.plots import draw\n"
        f"draw('roc', assay.evaluation.Report.from_json({REPORTS['one class'].to_json()!r}))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"needs the package 'matplotlib'.*assay\[train\]"):
        draw("roc", REPORTS["two labels"])

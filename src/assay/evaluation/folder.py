"""The folder of a report: JSON for machines, a page, a card and plots for people."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.evaluation.card import render_card
from assay.evaluation.page import render_page
from assay.evaluation.plots import PLOTS, draw
from assay.evaluation.report import Report


def write_report(report: Report, folder: Path, *, gate: Sequence[str] = ()) -> list[Path]:
    """Write all files of a report and return their paths.

    ``report.json`` comes last: a folder that has it is whole.

    Parameters
    ----------
    report : what was found
    folder : made when missing; files of an earlier report are replaced one by one, each at once
    gate : the gate's decision, for the model card

    Raises MissingExtra when matplotlib or markdown-it-py is not installed, OSError when the disk is full.
    """
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    (folder / "report.json").unlink(missing_ok=True)
    return [_write(folder / name, content) for name, content in _files(report, gate)]


def _files(report: Report, gate: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    plots = {name: draw(name, report) for name in PLOTS}
    yield from ((f"plots/{name}.png", plot) for name, plot in plots.items())
    yield "report.html", render_page(report, gate=gate, plots=plots).encode()
    confusion = {
        "labels": list(report.labels),
        "positive": report.positive,
        "rows_are": "truth",
        "columns_are": "decisions",
        "matrix": [list(row) for row in report.confusion],
    }
    yield "confusion_matrix.json", _json(confusion)
    yield "metrics.json", _json(report.flat())
    yield "model_card.md", render_card(report, gate=gate).encode()
    yield "report.json", report.to_json().encode()


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write(path: Path, content: bytes) -> Path:
    """Write a file that is either whole or not there."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        # A full disk is told without the name of the file.
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        partial.unlink(missing_ok=True)
    return path

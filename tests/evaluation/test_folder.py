import json
from pathlib import Path

import pytest

from assay.evaluation import Report, render_card, write_report
from tests.evaluation.made_up import random_report

REPORT = random_report(60, ["ham", "spam"])
FILES = [
    "confusion_matrix.json",
    "metrics.json",
    "model_card.md",
    "plots/confusion_matrix.png",
    "plots/precision_recall.png",
    "plots/reliability.png",
    "plots/roc.png",
    "plots/scores.png",
    "plots/slices.png",
    "report.html",
    "report.json",
]


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_report_folder_holds_every_file_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    written = write_report(REPORT, folder)
    assert files_of(folder) == sorted(str(path.relative_to(folder)) for path in written) == FILES


def test_files_say_what_the_report_says(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path, gate=["Gate passed"])
    assert Report.from_json((tmp_path / "report.json").read_bytes()) == REPORT
    assert json.loads((tmp_path / "metrics.json").read_bytes()) == REPORT.flat()
    assert json.loads((tmp_path / "confusion_matrix.json").read_bytes()) == {
        "labels": ["ham", "spam"],
        "positive": "spam",
        "rows_are": "truth",
        "columns_are": "decisions",
        "matrix": [list(row) for row in REPORT.confusion],
    }
    card = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    assert card == render_card(REPORT, gate=["Gate passed"])


def test_an_interrupted_write_never_looks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(REPORT, tmp_path)
    card = (tmp_path / "model_card.md").read_bytes()
    full = Path.write_bytes

    def write(path: Path, content: bytes) -> int:
        if "model_card" in path.name:
            full(path, content[:10])
            raise OSError(28, "No space left on device")
        return full(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OSError, match=r"No space left on device: '.*/model_card\.md'"):
        write_report(random_report(60, ["ham", "spam"], seed=1), tmp_path)
    assert files_of(tmp_path) == [name for name in FILES if name != "report.json"]
    assert (tmp_path / "model_card.md").read_bytes() == card

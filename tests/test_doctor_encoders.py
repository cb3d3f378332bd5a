"""What doctor says of encoders: what there is to train and to answer with, and who is stuck without it."""

import sys
from pathlib import Path

import onnxruntime
import pytest

from assay import doctor, doctor_encoders
from assay.cli import main
from assay.config import parse_task
from assay.estimators import providers
from assay.exceptions import MissingExtra

TASK = {"name": "x", "labels": ["a", "b"], "positive": "a", "data": {"source": "x.csv"}}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the libraries of encoders."""
    missing = {extra: ("numpy", f"nonesuch_{extra}") for extra in doctor_encoders.EXTRAS}
    monkeypatch.setattr(doctor_encoders, "EXTRAS", missing)


def test_what_answers_is_said_with_its_devices() -> None:
    said = [note for note in doctor_encoders.encoders() if "served" in note.what]
    devices = ", ".join(
        name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()
    )
    assert said == [("ok", f"encoders are served by ONNX Runtime {onnxruntime.__version__} on {devices}")]
    assert "CPU" in devices


def test_what_trains_is_said() -> None:
    torch = pytest.importorskip(
        "torch", reason="torch is not installed; docs/transformers.md says how (make torch)"
    )
    [said] = [note for note in doctor_encoders.encoders() if "trained" in note.what]
    assert said.level == "ok"
    assert said.what.startswith(f"encoders are trained by torch {torch.__version__}, transformers 5.")


@pytest.mark.usefixtures("without")
def test_without_the_libraries_only_the_extras_are_named() -> None:
    assert list(doctor_encoders.encoders()) == []


def test_each_extra_of_encoders_is_among_those_that_are_looked_for() -> None:
    assert doctor.EXTRAS.items() >= doctor_encoders.EXTRAS.items()


def test_a_runtime_that_does_not_load_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('libstdc++.so.6: no version GLIBCXX_3.4.29')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime")
    [said] = [note for note in doctor_encoders.encoders() if "trained" not in note.what]
    assert said.level == "BAD"
    assert (
        said.what == "onnxruntime is installed and does not load: libstdc++.so.6: no version GLIBCXX_3.4.29"
    )
    with pytest.raises(MissingExtra, match=r"Answering with an encoder needs .* pip install 'assay\[onnx\]'"):
        providers()


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("family", ["transformer", "embedding"])
def test_a_task_that_cannot_be_trained_here_is_noted_with_the_command(family: str) -> None:
    [note] = doctor_encoders.trainable(parse_task(TASK | {"estimator": {"family": family}}, source="x"))
    assert note == (
        "note",
        f"task x: training the family '{family}' needs nonesuch_transformers; "
        "pip install 'assay[transformers]'",
    )


@pytest.mark.usefixtures("without")
def test_a_task_of_n_grams_needs_none_of_it() -> None:
    assert list(doctor_encoders.trainable(parse_task(TASK, source="x"))) == []


@pytest.mark.usefixtures("without")
def test_a_version_in_production_that_cannot_answer_here_is_broken(
    with_version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["promote", "mine", "1"]) == 0
    [manifest] = (with_version / ".assay").rglob("manifest.json")
    (manifest.parent / "model.onnx").write_bytes(b"")
    capsys.readouterr()
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("BAD")] == [
        "BAD   production: mine's MineClassifier version 1 is an encoder, and answering with it needs "
        "nonesuch_onnx; pip install 'assay[onnx]'"
    ]
    assert [line for line in lines if "is answered by" in line] == []


def test_a_version_that_can_answer_here_is_well(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    assert list(doctor_encoders.servable(tmp_path, "mine's version 1")) == []

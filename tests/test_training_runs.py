"""An encoder from a task to a registered version, and what its run keeps."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from assay.config import ThresholdConfig, parse_task
from assay.estimators import load_artifact, read_quantization
from assay.loading import open_registry
from assay.pipeline import Outcome, run_pipeline
from assay.progress import Progress
from assay.settings import Settings
from assay.thresholding import show_thresholds
from assay.tuning import tune_version
from tests.corpus import SPAM_GROUPS, labelled
from tests.libraries import need_training

need_training()

EPOCHS = 2


@pytest.fixture
def outcome(workplace: Path) -> Iterator[tuple[Outcome, Progress]]:
    """What became of a quantized encoder that was trained on ``mine.csv``."""
    import torch

    from tests.bases import tiny_base

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    tiny_base(workplace / "base", texts=labelled(SPAM_GROUPS, 150)[0])
    values = {
        "name": "mine",
        "labels": ["ham", "spam"],
        "positive": "spam",
        "data": {"source": "mine.csv", "text": "T", "label": "L"},
        "estimator": {
            "family": "transformer",
            "base": "base",
            "epochs": EPOCHS,
            "batch_size": 8,
            "max_tokens": 32,
            "learning_rate": 5e-3,
            "quantize": "int8",
        },
        "gate": {"min_f1": 0.5, "max_quantization_flips": 0.5, "max_quantization_loss": 0.5},
    }
    progress = Progress(quiet=True)
    yield run_pipeline(parse_task(values, source="a test"), Settings(), progress=progress), progress
    torch.set_num_threads(threads)


def test_an_encoder_is_registered_like_any_version(outcome: tuple[Outcome, Progress]) -> None:
    found, progress = outcome
    assert found.gate.passed
    assert found.report.quantization is not None
    assert "Quantization to int8 changes" in "\n".join(found.gate.lines())
    registry = open_registry(Settings())
    [version] = registry.versions("MineClassifier")
    folder = Path(unquote(urlsplit(version.source).path))
    assert read_quantization(folder) == found.report.quantization
    assert load_artifact(folder).predict(["free prize, claim your cash bonus now"]) == ["spam"]
    with registry._client.session() as client:
        run = client.get_run(version.run_id)
        f1 = client.get_metric_history(version.run_id, "epoch_f1")
    assert [each.step for each in f1] == list(range(1, EPOCHS + 1))
    assert run.data.params["estimator.base"] == "base"
    assert int(run.data.params["encoder_rows"]) > 200
    kept = folder.parent / "training"
    assert (kept / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(json.loads((kept / "training.json").read_text())["epochs"]) == EPOCHS
    names = {path.name for path in (kept / "checkpoint").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= names
    assert not list((Settings().home / "training" / "mine").iterdir())
    log = (folder.parent / "training.log").read_text()
    assert f"epoch {EPOCHS} of {EPOCHS}: loss" in log
    assert "on its validation rows, which it was not trained on" in next(
        iter(show_thresholds("mine", "1", Settings()))
    )
    lines = len(progress.lines)
    tuned = tune_version(
        load_artifact(folder).task.model_copy(update={"threshold": ThresholdConfig(goal="max f1")}),
        "1",
        Settings(),
        progress=progress,
    )
    assert tuned.version.number == "2"
    assert any("validation rows: what it was trained on has no" in line for line in progress.lines[lines:])
    assert tuned.report.quantization == found.report.quantization

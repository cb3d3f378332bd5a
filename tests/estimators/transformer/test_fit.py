"""Labelled rows to the encoder that is served."""

import json
from pathlib import Path

import numpy as np
import pytest

from assay.datasets import Rows
from assay.estimators import load_artifact, read_held_out, read_quantization, save_artifact, train_cascade
from assay.exceptions import ConfigError, DataError
from assay.progress import Progress
from tests.estimators.transformer.conftest import task_of

QUIET = Progress(quiet=True)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, base: Path, rows: tuple[Rows, Rows]) -> Path:
    """The artifact of a fine-tuned encoder in eight bits, and the record of its training."""
    folder = tmp_path_factory.mktemp("trained")
    cascade = train_cascade(task_of(base, quantize="int8"), *rows, work=folder / "work", progress=QUIET)
    assert cascade.training is not None
    (folder / "training.json").write_text(cascade.training.to_json())
    save_artifact(cascade, folder / "model", golden=rows[1].texts[:5], provenance={})
    return folder


def test_an_encoder_learns_is_saved_and_answers_as_it_did(trained: Path, rows: tuple[Rows, Rows]) -> None:
    cascade = load_artifact(trained / "model")
    assert cascade.model.costly
    assert cascade.score(rows[1].texts, rows[1].labels) > 0.8
    assert cascade.model.spec.precision == "int8"
    assert not (trained / "model" / "model.safetensors").exists()


def test_what_eight_bits_cost_is_kept_with_the_artifact(trained: Path, rows: tuple[Rows, Rows]) -> None:
    cost = read_quantization(trained / "model")
    assert cost is not None
    assert (cost.rows, cost.fp32.f1 > 0.8) == (len(rows[1]), True)
    assert cost.int8.size_bytes == (trained / "model" / "model.onnx").stat().st_size < cost.fp32.size_bytes
    assert cost.flips <= 3


def test_the_operating_point_is_chosen_on_validation_rows_by_the_exported_network(
    trained: Path, rows: tuple[Rows, Rows]
) -> None:
    train, validation = rows
    cascade, held_out = load_artifact(trained / "model"), read_held_out(trained / "model")
    assert held_out is not None
    assert np.array_equal(held_out.logits, cascade.model.logits(validation.texts))
    assert held_out.places(train.texts).tolist() == [-1] * len(train)
    assert held_out.seen([*train.texts[:2], *validation.texts[:2], "new"]).tolist() == [True] * 4 + [False]
    assert 0 < held_out.validation.sum() < len(validation)


def test_the_weights_are_kept_as_other_libraries_load_them(trained: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    record = json.loads((trained / "training.json").read_text())
    [folder] = (trained / "work").glob("*/trained")
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    assert network.config.id2label == {0: "negative", 1: "positive"}
    assert {path.name for path in folder.iterdir()} >= {"model.safetensors", "tokenizer.json", "config.json"}
    assert [epoch["number"] for epoch in record["epochs"]] == [1, 2, 3]
    assert record["epochs"][-1]["loss"] < record["epochs"][0]["loss"]
    assert record["facts"]["encoder_rows"] == 120


def test_evidence_rules_are_refused_before_anything_is_trained(
    base: Path, rows: tuple[Rows, Rows], tmp_path: Path
) -> None:
    (tmp_path / "film.rules.toml").write_text(
        '[[rule]]\nid = "dull"\npattern = "dull"\naction = "evidence"\nlabel = "negative"\n'
        'examples = ["dull"]\ncounterexamples = ["bright"]\n'
    )
    task = task_of(base).model_copy(update={"rules": str(tmp_path / "film.rules.toml")})
    with pytest.raises(ConfigError, match=r"The rules \['dull'\].*reads nothing but the text"):
        train_cascade(task, *rows, progress=QUIET)


def test_without_validation_rows_nothing_is_trained(base: Path, rows: tuple[Rows, Rows]) -> None:
    with pytest.raises(DataError, match="needs validation rows"):
        train_cascade(task_of(base), rows[0], progress=QUIET)

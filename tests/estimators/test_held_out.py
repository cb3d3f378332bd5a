from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.estimators import load_artifact, read_held_out
from assay.estimators.calibration import Calibration
from assay.estimators.held_out import HeldOut, keys_of
from assay.estimators.linear import sigmoid
from assay.estimators.tensors import map_tensors, write_tensors
from assay.exceptions import ArtifactError, DataError

TEXTS = ["free prize", "lunch?", "call now", "naïve café"]


def held_out() -> HeldOut:
    """Return four scored rows of two labels."""
    return HeldOut(
        keys=keys_of(TEXTS),
        logits=np.array([[2.0], [-1.5], [0.25], [-3.0]]),
        truth=np.array([1, 0, 1, 0]),
        validation=np.array([False, False, True, True]),
        ruled=np.array([-1, 0, 1, -1]),
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    rows, path = held_out(), tmp_path / "rows.safetensors"
    rows.write(path)
    found = HeldOut.read(path, labels=2, logits=1)
    assert len(found) == 4
    for name in ("keys", "logits", "truth", "validation", "ruled"):
        assert np.array_equal(getattr(found, name), getattr(rows, name))


def test_texts_are_found_in_any_order_and_by_their_exact_bytes() -> None:
    texts = ["call now", "Call now", "free prize", "naïve café", "naïve cafe\u0301"]
    assert held_out().places(texts).tolist() == [2, -1, 0, 3, -1]


def test_texts_that_were_trained_on_are_told_apart_to_the_letter() -> None:
    found = held_out().seen(["call now", "Call now", "lunch", "lunch?", "call now"])
    assert (found.dtype, found.tolist()) == (np.bool_, [True, False, False, True, True])
    assert held_out().seen([]).tolist() == []


def test_texts_that_were_trained_on_cannot_judge_a_model() -> None:
    held_out().check_unseen(["Call now", "lunch"], "the model")
    with pytest.raises(DataError, match=r"the model was trained on 2 of the 3 rows") as caught:
        held_out().check_unseen(["call now", "lunch", "free prize"], "the model")
    assert caught.value.data["seen"] == 2


def test_some_rows_are_taken_with_all_that_is_known_of_them() -> None:
    found = held_out().taken(np.array([2, 0]))
    assert found.logits.tolist() == [[0.25], [2.0]]
    assert (found.truth.tolist(), found.ruled.tolist()) == ([1, 1], [1, -1])
    assert (found.validation.tolist(), found.places(["free prize"]).tolist()) == ([True, False], [1])


def test_a_sample_has_calibrated_probabilities() -> None:
    sample = held_out().sample(Calibration(), "sigmoid")
    assert sample.probabilities[:, 1].tolist() == sigmoid(held_out().logits)[:, 0].tolist()
    assert sample.ruled.tolist() == [-1, 0, 1, -1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"logits": np.zeros((4, 3))},
            r"'logits' must be float64 of shape \(4, 1\); it is float64 of shape \(4, 3\)",
        ),
        ({"logits": np.full((4, 1), np.nan)}, "not finite"),
        ({"truth": np.array([0, 1, 2, 0])}, "more labels than the 2"),
        ({"ruled": np.array([0, 1, 2, 0])}, "more labels than the 2"),
        ({"keys": np.zeros((3, 16), np.uint8)}, r"'keys' must be uint8 of shape \(4, 16\)"),
    ],
    ids=["logits", "not finite", "truth", "ruled", "keys"],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    path = tmp_path / "rows.safetensors"
    replace(held_out(), **change).write(path)
    with pytest.raises(ArtifactError, match=reason):
        HeldOut.read(path, labels=2, logits=1)


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.safetensors"
    held_out().write(path)
    arrays = {name: array for name, array in map_tensors(path).items() if name != "validation"}
    write_tensors(tmp_path / "less.safetensors", arrays)
    with pytest.raises(ArtifactError, match=r"'validation' must be uint8 of shape .* it is missing"):
        HeldOut.read(tmp_path / "less.safetensors", labels=2, logits=1)


@pytest.mark.parametrize("truth", [[-1.0, 0, 1, 0], [float("nan"), 0, 1, 0], 1.0], ids=str)
def test_label_numbers_that_are_none_are_refused(tmp_path: Path, truth: object) -> None:
    path = tmp_path / "rows.safetensors"
    held_out().write(path)
    write_tensors(tmp_path / "other.safetensors", map_tensors(path) | {"truth": np.array(truth)})
    with pytest.raises(
        ArtifactError, match=r"'\w+' must be uint\d+ of shape .*; it is (?:float64|uint8) of shape"
    ):
        HeldOut.read(tmp_path / "other.safetensors", labels=2, logits=1)


def test_a_trained_artifact_keeps_its_scores_and_an_old_one_has_none(spam_artifact: Path) -> None:
    found = read_held_out(spam_artifact)
    assert found is not None
    assert len(found) == len(set(map(bytes, found.keys))) > 100
    assert set(found.truth.tolist()) == {0, 1}
    assert load_artifact(spam_artifact).selection is None
    assert read_held_out(Path("tests/artifacts/v1/three-labels")) is None

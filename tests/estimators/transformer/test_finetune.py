"""Fine-tuning: epochs, the best of them, what a kill leaves and how it is gone on from."""

import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.datasets import Rows
from assay.estimators.transformer import finetune as module
from assay.estimators.transformer.base import load_base
from assay.estimators.transformer.checkpoints import Checkpoints, State
from assay.estimators.transformer.finetune import FineTuning, cross_entropy, f1_of, identify
from assay.estimators.transformer.learning import Encoded, out_of_memory
from assay.estimators.transformer.network import build_classifier
from assay.exceptions import AssayError, ConfigError
from assay.progress import Progress
from tests.estimators.transformer.conftest import task_of

Make = Callable[..., FineTuning]


class Killed(Exception):
    """Stands for a kill: nothing is put right on its way out."""


def begin(
    base: Path, rows: tuple[Rows, Rows], folder: Path, progress: Progress | None = None, **estimator: Any
) -> FineTuning:
    """Begin, or go on with, the training of a tiny encoder in a folder."""
    task = task_of(base, **estimator)
    config, found = task.estimator, load_base(task.estimator)
    tokens = found.tokens(config)
    read, held_out = (
        Encoded(tokens.ids(side.texts), np.array([task.labels.index(label) for label in side.labels]))
        for side in rows
    )
    network = build_classifier(found, task.labels, seed=config.seed)
    identity = identify(config, task.labels, network, read, held_out)
    return FineTuning(
        config,
        network,
        read,
        held_out,
        pad=tokens.pad,
        positive=1,
        checkpoints=Checkpoints(folder, identity),
        progress=progress or Progress(quiet=True),
    )


@pytest.fixture
def make(base: Path, rows: tuple[Rows, Rows], tmp_path: Path) -> Make:
    """Return what begins, or goes on with, a training in a folder of the test."""

    def begin_in(folder: str = "one", progress: Progress | None = None, **estimator: Any) -> FineTuning:
        return begin(base, rows, tmp_path / folder, progress, **estimator)

    return begin_in


def weights(training: FineTuning) -> list[np.ndarray]:
    """Return all weights of the network."""
    return [value.detach().numpy().copy() for value in training.training.network.state_dict().values()]


def kill_after(training: FineTuning, batches: int) -> None:
    """Let a training be killed as it begins the batch after so many, its last checkpoint just written."""
    learn, done = training.learner.learn, 0

    def dying(rows: Sequence[int], rate: float) -> float:
        nonlocal done
        if done == batches:
            raise Killed
        done += 1
        return learn(rows, rate)

    training.learner.learn = dying  # type: ignore[method-assign]
    with pytest.raises(Killed):
        training.run()


@pytest.mark.parametrize("batches", [1, 15, 20])
def test_a_killed_training_goes_on_to_the_same_weights(
    make: Make, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    whole = make("whole", epochs=2)
    whole.run()
    kill_after(make("killed", epochs=2), batches)
    progress = Progress(quiet=True)
    resumed = make("killed", progress, epochs=2)
    resumed.run()
    assert "going on from the checkpoint" in progress.lines[0]
    assert resumed.state.losses == whole.state.losses
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        assert np.array_equal(one, other)


def train_until_killed(base: Path, rows: tuple[Rows, Rows], folder: Path) -> None:
    """Train in this process, and kill it in the second epoch."""
    import torch

    torch.set_num_threads(1)
    training = begin(base, rows, folder, epochs=2)
    learn = training.learner.learn

    def killed(batch: Sequence[int], rate: float) -> float:
        if training.state.epochs:
            os.kill(os.getpid(), signal.SIGKILL)
        return learn(batch, rate)

    training.learner.learn = killed  # type: ignore[method-assign]
    training.run()


def test_a_training_whose_process_is_killed_goes_on_to_the_same_weights(
    base: Path, rows: tuple[Rows, Rows], make: Make, tmp_path: Path
) -> None:
    process = get_context("spawn").Process(target=train_until_killed, args=(base, rows, tmp_path / "killed"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    whole = make("whole", epochs=2)
    whole.run()
    progress = Progress(quiet=True)
    resumed = make("killed", progress, epochs=2)
    resumed.run()
    assert "going on from the checkpoint" in progress.lines[0]
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        assert np.array_equal(one, other)


def test_a_finished_training_is_not_done_again(make: Make) -> None:
    make(epochs=1).run()
    again = make(epochs=1)
    again.learner.learn = None  # type: ignore[method-assign,assignment]
    again.run()
    assert again.state.finished


def test_the_best_epoch_is_kept_and_the_training_stops_when_none_is_better(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([0.5, 0.9, 0.7, 0.6])
    monkeypatch.setattr(module, "f1_of", lambda *_: next(found))
    progress = Progress(quiet=True)
    training = make(progress=progress, epochs=9, patience=2)
    kept: list[list[np.ndarray]] = []
    keep_best = training._keep_best
    monkeypatch.setattr(training, "_keep_best", lambda: (keep_best(), kept.append(weights(training))))
    training.run()
    assert [epoch.number for epoch in training.state.epochs] == [1, 2, 3, 4]
    assert training.state.best == 2
    assert "  stopped early: no better F1 for 2 epochs" in progress.lines
    for one, other in zip(kept[-1], weights(training), strict=True):
        assert np.array_equal(one, other)


def test_without_patience_all_epochs_are_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "f1_of", lambda *_: 0.5)
    training = make(epochs=3, patience=0)
    training.run()
    assert (len(training.state.epochs), training.state.best) == (3, 1)


def starve(training: FineTuning, most: int) -> list[int]:
    """Let memory suffice for so many rows at once; return the list of the sizes that were tried."""
    import torch

    network, tried = training.training.network, []
    forward = network.forward

    def guarded(*, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        if network.training:
            tried.append(len(input_ids))
            if len(input_ids) > most:
                raise torch.OutOfMemoryError("too many rows")
        return forward(input_ids=input_ids, attention_mask=attention_mask)

    network.forward = guarded
    return tried


def test_too_little_memory_halves_the_rows_at_once_and_goes_on(make: Make) -> None:
    whole, starved = make("whole", epochs=1), make("starved", epochs=1)
    tried = starve(starved, 2)
    whole.run()
    starved.run()
    assert tried[:4] == [8, 4, 2, 2]
    assert max(tried[2:]) == 2
    assert starved.state.rows_at_once == 2
    assert starved.state.epochs[0].loss == pytest.approx(whole.state.epochs[0].loss, rel=0.2)


def test_no_memory_for_one_row_is_an_error(make: Make) -> None:
    training = make(epochs=1)
    starve(training, 0)
    with pytest.raises(AssayError, match=r"not enough memory to train on one row.*estimator\.max_tokens"):
        training.run()


def test_other_errors_of_the_library_are_not_taken_for_too_little_memory() -> None:
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_gradients_of_parts_add_up_to_those_of_the_batch(make: Make) -> None:
    ends = []
    for folder, at_once in (("8", 8), ("3", 3)):
        training = make(folder, epochs=1, rows_at_once=at_once)
        training.training.network.eval()  # without dropout both compute the same
        training.learner.learn(range(8), 1e-3)
        ends.append(weights(training))
    for one, other in zip(*ends, strict=True):
        assert np.allclose(one, other, atol=2e-5)


@pytest.mark.parametrize(
    ("file", "change"),
    [("state.json", b"{"), ("network.safetensors", b""), ("optimizer.safetensors", b"x" * 9)],
)
def test_a_damaged_checkpoint_says_what_to_delete(
    make: Make, tmp_path: Path, file: str, change: bytes
) -> None:
    make(epochs=1).run()
    [place] = (tmp_path / "one").glob("checkpoint-*")
    (place / file).write_bytes(change)
    with pytest.raises(ConfigError, match=r"checkpoint .* is damaged .* Delete the folder '.*one'"):
        make(epochs=1).run()


def test_a_checkpoint_of_another_training_is_refused(make: Make) -> None:
    make(epochs=1).run()
    other = make(epochs=1, learning_rate=1e-4)
    with pytest.raises(
        ConfigError, match=r"another training: estimator\.learning_rate differ .*0\.005 there, 0\.0001 here"
    ):
        other.run()


def test_a_disk_that_takes_no_checkpoint_does_not_stop_the_training(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Checkpoints, training: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Checkpoints, "save", full)
    progress = Progress(quiet=True)
    training = make(progress=progress, epochs=1)
    training.run()
    assert training.state.finished
    assert any(
        "no checkpoint could be written" in line and "No space left" in line for line in progress.lines
    )


def test_lines_say_how_far_a_long_training_has_come(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    progress = Progress(quiet=True)
    make(progress=progress, epochs=1).run()
    assert any(line.startswith("  epoch 1 of 1, 8 of 120 rows, loss ") for line in progress.lines)


def test_f1_is_that_of_the_positive_label_or_the_mean() -> None:
    given, truth = np.array([0, 1, 1, 2]), np.array([0, 1, 0, 0])
    assert f1_of(given, truth, 1, 3) == pytest.approx(2 / 3)
    assert f1_of(given, truth, None, 3) == pytest.approx((0.5 + 2 / 3 + 0.0) / 3)
    assert f1_of(given, truth, None, 4) == pytest.approx((0.5 + 2 / 3) / 4)


def test_cross_entropy_is_minus_the_logarithm_of_what_the_truth_got() -> None:
    logits = np.array([[0.0, 0.0], [1e3, 0.0]])
    assert cross_entropy(logits, np.array([0, 0])) == pytest.approx(np.log(2) / 2)


def test_the_best_epoch_is_the_first_of_equal_ones() -> None:
    assert State().best == 0

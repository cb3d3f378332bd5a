"""Fine-tuning: epochs over the training rows, the best by the validation rows, resumed after a kill."""

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.estimators.encoder.batches import batches_of
from assay.estimators.transformer.checkpoints import Checkpoints, State, Training, identity_of
from assay.estimators.transformer.learning import Encoded, Learner, tensors_of
from assay.estimators.transformer.record import Epoch
from assay.estimators.transformer.schedule import batches_of_epoch, rate_at
from assay.families import TransformerConfig
from assay.progress import Bar, Progress

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 120.0
"""How much of a training a kill can cost, about."""
LINE_SECONDS = 60.0
"""How often a line says how far a training has come."""
BUDGET = 8_192
"""Tokens of a batch of validation rows."""
BEST = "best.safetensors"


class FineTuning:
    """One training from its first batch, or from its newest checkpoint, to its best epoch."""

    def __init__(
        self,
        config: TransformerConfig,
        network: "torch.nn.Module",
        train: Encoded,
        validation: Encoded,
        *,
        pad: int,
        positive: int | None,
        checkpoints: Checkpoints,
        progress: Progress,
    ) -> None:
        self._config, self._train, self._validation = config, train, validation
        self._pad, self._positive = pad, positive
        self._checkpoints, self._progress = checkpoints, progress
        self.training = Training(network, optimizer_of(network, config), State())
        self.learner = Learner(config, self.training, train, pad=pad)
        network.to(self.learner.device)
        self._saved = self._told = time.monotonic()

    @property
    def state(self) -> State:
        """Where the training stands."""
        return self.training.state

    def run(self) -> None:
        """Train until the last epoch or until no epoch is better, and load the best weights.

        Raises ConfigError for a checkpoint that is damaged or of another training.
        """
        if self._checkpoints.restore(self.training):
            self.learner.scaler.load_state_dict(self.state.scaler)
            done = f"epoch {self.state.epoch}, batch {self.state.batch}"
            where = "which is finished" if self.state.finished else done
            self._progress.say(f"  going on from the checkpoint in {self._checkpoints.folder}: {where}")
        total = self._config.epochs * len(self._train.ids)
        with self._progress.bar("fine-tune", total) as bar:
            bar.advance(self._rows_done())
            while not self.state.finished:
                self._epoch(bar)
        self._load_best()

    def _rows_done(self) -> int:
        return (self.state.epoch - 1) * len(self._train.ids) + self.state.rows

    def _epoch(self, bar: Bar) -> None:
        state, config = self.state, self._config
        batches = batches_of_epoch(
            self._train.lengths, batch_size=config.batch_size, seed=config.seed, epoch=state.epoch
        )
        every, before, begun = (
            len(batches) * config.epochs,
            len(batches) * (state.epoch - 1),
            time.monotonic(),
        )
        spent = state.seconds
        self.training.network.train()
        rates = [
            rate_at(before + at, every, highest=config.learning_rate, warmup=config.warmup)
            for at in range(len(batches))
        ]
        for rows in batches[state.batch :]:
            loss = self.learner.learn(rows, rates[state.batch])
            state.batch, state.rows = state.batch + 1, state.rows + len(rows)
            state.loss, state.seconds = state.loss + loss, spent + time.monotonic() - begun
            self._note(before + state.batch, loss, len(rows))
            bar.advance(len(rows))
            self._keep()
            self._tell(bar)
        self._assess(rates[-1], begun, spent)

    def _note(self, batch: int, loss: float, rows: int) -> None:
        """Keep the mean loss of every so many rows for the curve."""
        state, every = self.state, max(256, len(self._train.ids) // 100)
        sums, count = state.recent[0] + loss, state.recent[1] + rows
        state.recent = sums, count
        if count >= every or state.rows == len(self._train.ids):
            state.losses.append((batch, sums / count))
            state.recent = 0.0, 0

    def _assess(self, rate: float, begun: float, spent: float) -> None:
        """Close an epoch: measure it, keep its weights if it is the best, and decide whether to go on."""
        state, best = self.state, self.state.best
        logits = self.logits(self._validation)
        given = logits.argmax(axis=1)
        epoch = Epoch(
            number=state.epoch,
            loss=state.loss / max(state.rows, 1),
            validation_loss=cross_entropy(logits, self._validation.truth),
            f1=f1_of(given, self._validation.truth, self._positive, logits.shape[1]),
            accuracy=float((given == self._validation.truth).mean()),
            rate=rate,
            seconds=spent + time.monotonic() - begun,
        )
        state.epochs.append(epoch)
        better = state.best != best
        if better:
            self._keep_best()
        note = ", the best so far" if better else ""
        self._progress.say(
            f"  epoch {epoch.number} of {self._config.epochs}: loss {epoch.loss:.4f}, on validation rows "
            f"{epoch.validation_loss:.4f}, F1 {epoch.f1:.4f}, accuracy {epoch.accuracy:.4f} "
            f"({epoch.seconds:.0f} s){note}"
        )
        waited = state.epoch - state.best
        stop = bool(self._config.patience) and waited >= self._config.patience
        if stop and state.epoch < self._config.epochs:
            self._progress.say(f"  stopped early: no better F1 for {waited} epoch{'s' * (waited > 1)}")
        state.finished = stop or state.epoch >= self._config.epochs
        state.epoch, state.batch, state.loss, state.rows, state.seconds = state.epoch + 1, 0, 0.0, 0, 0.0
        self._keep(now=True)

    def logits(self, rows: Encoded) -> NDArray[np.float64]:
        """Return the logits of rows, shape (rows, labels), with the network as it is."""
        import torch

        network = self.training.network
        network.eval()
        found: NDArray[np.float64] | None = None
        with torch.inference_mode(), self.learner.halved():
            for batch in batches_of(rows.lengths, budget=BUDGET):
                ids, mask = tensors_of([rows.ids[row] for row in batch], self._pad, self.learner.device)
                logits = network(input_ids=ids, attention_mask=mask).logits.double().cpu().numpy()
                if found is None:
                    found = np.empty((len(rows.ids), logits.shape[1]))
                found[batch] = logits
        assert found is not None
        return found

    def _keep(self, *, now: bool = False) -> None:
        """Save a checkpoint when one is due; a disk that takes none is told, and the training goes on."""
        if not now and time.monotonic() - self._saved < CHECKPOINT_SECONDS:
            return
        self._saved = time.monotonic()
        self.state.scaler = self.learner.scaler.state_dict()
        try:
            self._checkpoints.save(self.training)
        except OSError as error:
            self._progress.say(
                f"  no checkpoint could be written to {self._checkpoints.folder}: {error.strerror or error}"
            )

    def _keep_best(self) -> None:
        from safetensors.torch import save_file

        folder = self._checkpoints.folder
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{BEST}"
        weights = {
            name: value.detach().cpu().clone() for name, value in self.training.network.state_dict().items()
        }
        save_file(weights, draft)
        draft.replace(folder / BEST)

    def _load_best(self) -> None:
        from safetensors.torch import load_file

        network = self.training.network
        network.load_state_dict(load_file(self._checkpoints.folder / BEST))
        network.to("cpu").eval()

    def _tell(self, bar: Bar) -> None:
        if time.monotonic() - self._told < LINE_SECONDS:
            return
        self._told = time.monotonic()
        state = self.state
        self._progress.say(
            f"  epoch {state.epoch} of {self._config.epochs}, {state.rows:,} of {len(self._train.ids):,} "
            f"rows, loss {state.loss / state.rows:.4f}{bar.left()}"
        )


def optimizer_of(network: "torch.nn.Module", config: TransformerConfig) -> "torch.optim.Optimizer":
    """Return AdamW (Loshchilov and Hutter, 2019) that lets biases and norms be: they do not decay."""
    import torch

    named = [each for each in network.named_parameters() if each[1].requires_grad]
    groups = [
        {"params": [value for _, value in named if value.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [value for _, value in named if value.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def identify(
    config: TransformerConfig,
    labels: Sequence[str],
    network: "torch.nn.Module",
    train: Encoded,
    validation: Encoded,
) -> dict[str, str]:
    """Return what makes a training the same one: settings, labels, the weights it begins with, rows."""
    weights = hashlib.blake2b(digest_size=16)
    for name, value in network.state_dict().items():
        weights.update(name.encode())
        weights.update(value.detach().cpu().contiguous().numpy().tobytes())
    rows = hashlib.blake2b(digest_size=16)
    for side in (train, validation):
        rows.update(np.concatenate([np.asarray(row, np.int64) for row in side.ids]).tobytes())
        rows.update(np.asarray(side.lengths, np.int64).tobytes())
        rows.update(side.truth.tobytes())
    settings = config.model_dump(mode="json", exclude={"base", "quantize", "rows_at_once"})
    named = {f"estimator.{name}": value for name, value in settings.items()}
    return identity_of(**named, labels=list(labels), weights=weights.hexdigest(), rows=rows.hexdigest())


def f1_of(given: NDArray[np.int64], truth: NDArray[np.int64], positive: int | None, labels: int) -> float:
    """Return the F1 of the positive label, or the mean over all labels where there is none."""
    measured = []
    for label in range(labels) if positive is None else [positive]:
        right = int(((given == label) & (truth == label)).sum())
        both = int((given == label).sum() + (truth == label).sum())
        measured.append(2 * right / both if both else 0.0)
    return float(np.mean(measured))


def cross_entropy(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the mean loss of logits, shape (rows, labels): minus the logarithm of the true label's share."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    totals = np.log(np.exp(shifted).sum(axis=1))
    return float((totals - shifted[np.arange(len(truth)), truth]).mean())

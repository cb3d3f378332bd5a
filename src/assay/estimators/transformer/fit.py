"""A base and labelled rows to the encoder that is served."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assay.config import Task
from assay.estimators.embedding import fit_embedding
from assay.estimators.encoder.model import EncoderModel
from assay.estimators.encoder.spec import EncoderSpec
from assay.estimators.encoder.tokens import Tokens
from assay.estimators.linear import Link
from assay.estimators.transformer.base import Base, check_vocabulary, load_base
from assay.estimators.transformer.checkpoints import Checkpoints, folder_of
from assay.estimators.transformer.export import export_network
from assay.estimators.transformer.finetune import FineTuning, identify
from assay.estimators.transformer.learning import Encoded
from assay.estimators.transformer.network import build_classifier, save_checkpoint
from assay.estimators.transformer.quantization import quantize
from assay.estimators.transformer.record import TrainingRecord
from assay.estimators.transformer.schedule import draw_rows
from assay.families import EmbeddingConfig, EncoderConfig, TransformerConfig
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows

CHECKPOINT = "trained"
INT8_TOLERANCE = 0.05
"""How far a probability of a quantized network may lie from the recorded one: on a processor that rounds sums
another way, a value may fall on the other side of a step of its eight bits."""


def finetune(
    config: TransformerConfig,
    task: Task,
    train: "Rows",
    validation: "Rows",
    *,
    work: Path,
    progress: Progress,
) -> tuple[bytes, Base, TrainingRecord]:
    """Return the exported network of a fine-tuned encoder, what it began with, and how it was trained.

    ``work`` is the folder of the task's trainings: an interrupted one of the same settings and rows is gone
    on with. Raises ConfigError for a base or a checkpoint that cannot be used, AssayError when memory
    does not suffice for a single row.
    """
    base = load_base(config)
    tokens = base.tokens(config)
    check_vocabulary(base, tokens, train.texts)
    with progress.step(f"cut {len(train) + len(validation):,} texts into tokens"):
        read, held_out = (_encoded(tokens, rows, task.labels) for rows in (train, validation))
        kept = draw_rows(read.truth, config.max_rows, seed=config.seed)
        read = Encoded([read.ids[at] for at in kept.tolist()], read.truth[kept])
    with progress.step(f"load the base {base.name}"):
        network = build_classifier(base, task.labels, seed=config.seed)
        identity = identify(config, task.labels, network, read, held_out)
    checkpoints = Checkpoints(folder_of(work, identity), identity)
    positive = task.labels.index(task.positive) if task.binary else None
    training = FineTuning(
        config,
        network,
        read,
        held_out,
        pad=tokens.pad,
        positive=positive,
        checkpoints=checkpoints,
        progress=progress,
    )
    device, precision = training.learner.device.type, training.learner.precision
    length = np.mean(read.lengths)
    progress.say(f"  {len(kept):,} rows of {length:.0f} tokens in the mean, on {device} in {precision}")
    training.run()
    with progress.step("export the network"):
        save_checkpoint(network, base.tokenizer, checkpoints.folder / CHECKPOINT)
        exported = export_network(network, labels=len(task.labels))
    return exported, base, _record(training, read, checkpoints.folder / CHECKPOINT)


def _record(training: FineTuning, read: Encoded, checkpoint: Path) -> TrainingRecord:
    state, learner = training.state, training.learner
    return TrainingRecord(
        epochs=tuple(state.epochs),
        best=state.best,
        losses=tuple(state.losses),
        facts={
            "encoder_rows": len(read.ids),
            "encoder_tokens": sum(read.lengths),
            "encoder_device": learner.device.type,
            "encoder_precision": learner.precision,
            "encoder_rows_at_once": state.rows_at_once,
            "encoder_seconds": round(sum(epoch.seconds for epoch in state.epochs), 1),
        },
        checkpoint=checkpoint,
    )


def _encoded(tokens: Tokens, rows: "Rows", labels: Sequence[str]) -> Encoded:
    number = {label: at for at, label in enumerate(labels)}
    return Encoded(tokens.ids(rows.texts), np.array([number[label] for label in rows.labels], np.int64))


def embed(
    config: EmbeddingConfig, task: Task, train: "Rows", *, work: Path, progress: Progress
) -> tuple[bytes, Base, TrainingRecord]:
    """Return the exported network of a frozen encoder with its regression; see ``fit_embedding``."""
    started = time.monotonic()
    network, base = fit_embedding(config, task.labels, train, work=work, progress=progress)
    seconds = round(time.monotonic() - started, 1)
    facts = {"encoder_rows": len(train), "encoder_seconds": seconds}
    return network, base, TrainingRecord(epochs=(), best=0, losses=(), facts=facts)


def fit_encoder(
    config: TransformerConfig | EmbeddingConfig,
    task: Task,
    train: "Rows",
    validation: "Rows",
    *,
    work: Path | None,
    progress: Progress,
) -> tuple[EncoderModel, TrainingRecord]:
    """Return the encoder of a task's family in single precision, and how it was trained."""
    with working_folder(work) as folder:
        if isinstance(config, EmbeddingConfig):
            network, base, record = embed(config, task, train, work=folder, progress=progress)
        else:
            network, base, record = finetune(config, task, train, validation, work=folder, progress=progress)
    return encoder_of(config, task, network, base.tokenizer), record


def encoder_of(config: EncoderConfig, task: Task, network: bytes, tokenizer: bytes) -> EncoderModel:
    """Return the model that is served, of an exported network in single precision."""
    link: Link = "sigmoid" if task.binary else "softmax"
    spec = EncoderSpec(
        link=link, labels=task.labels, max_tokens=config.max_tokens, truncation=config.truncation
    )
    return EncoderModel(spec, network, tokenizer)


def in_eight_bits(model: EncoderModel) -> EncoderModel:
    """Return the same encoder with its weights in eight bits."""
    spec = model.spec.model_copy(update={"precision": "int8", "tolerance": INT8_TOLERANCE})
    return EncoderModel(spec, quantize(model.network), model.tokenizer)


@contextmanager
def working_folder(work: Path | None) -> Iterator[Path]:
    """Give the folder of a task's trainings, a temporary one where none is given."""
    if work is not None:
        yield work
        return
    with tempfile.TemporaryDirectory(prefix="assay-training-") as folder:
        yield Path(folder)

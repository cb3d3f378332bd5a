"""What a training found: its epochs, and what was kept of them."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One reading of all rows: the mean loss over them, and what the validation rows say afterwards.

    ``f1`` is that of the positive label, with more than two labels the mean over them; ``rate`` is the
    learning rate at the end.
    """

    number: int
    loss: float
    validation_loss: float
    f1: float
    accuracy: float
    rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """How an encoder was trained.

    ``losses`` holds (batch, mean loss since the last entry); ``facts`` what a run logs as parameters;
    ``checkpoint`` is the folder of the kept weights and the tokenizer, as Hugging Face's libraries load them.
    """

    epochs: tuple[Epoch, ...]
    best: int
    losses: tuple[tuple[int, float], ...]
    facts: dict[str, Any]
    checkpoint: Path | None = None

    def history(self) -> dict[str, list[tuple[int, float]]]:
        """Return each metric with its value after every epoch, and the training loss batch by batch."""
        named = ("loss", "validation_loss", "f1", "accuracy", "rate")
        curves = {
            f"epoch_{name}": [(epoch.number, getattr(epoch, name)) for epoch in self.epochs] for name in named
        }
        return {**curves, "batch_loss": list(self.losses)}

    def forget(self) -> None:
        """Delete what the training kept on disk, once a run has it."""
        if self.checkpoint is not None:
            shutil.rmtree(self.checkpoint.parent, ignore_errors=True)

    def to_json(self) -> str:
        """Return the record as the text of training.json."""
        values = {
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best": self.best,
            "losses": [list(entry) for entry in self.losses],
            "facts": self.facts,
        }
        return json.dumps(values, indent=1) + "\n"

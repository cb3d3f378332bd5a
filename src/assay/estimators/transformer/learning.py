"""One change of the weights: a batch's gradients, summed up over parts that fit into memory."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators.encoder.batches import padded
from assay.estimators.transformer.checkpoints import Training
from assay.exceptions import AssayError
from assay.families import TransformerConfig

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
LARGEST_GRADIENT = 1.0
"""The norm that gradients are cut to."""


class Encoded(NamedTuple):
    """Texts as token ids, with the numbers of their labels, shape (texts,)."""

    ids: list[list[int]]
    truth: NDArray[np.int64]

    @property
    def lengths(self) -> list[int]:
        """The tokens of each text."""
        return [len(row) for row in self.ids]


class Learner:
    """Teaches a network batches of rows on the device that there is."""

    def __init__(self, config: TransformerConfig, training: Training, rows: Encoded, *, pad: int) -> None:
        import torch

        self._training, self._rows, self._pad = training, rows, pad
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._half = precision_of(config, self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self._half is torch.float16)
        training.state.rows_at_once = config.rows_at_once

    @property
    def precision(self) -> str:
        """The numbers that products are computed in."""
        return "fp32" if self._half is None else {"bfloat16": "bf16", "float16": "fp16"}[str(self._half)[6:]]

    def learn(self, rows: Sequence[int], rate: float) -> float:
        """Change the weights by one batch and return the sum of its rows' losses.

        Where memory does not suffice, fewer rows are computed at once from then on. Raises AssayError when
        not even one row fits.
        """
        while True:
            try:
                return self._learn(rows, rate)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                self._halve(error, len(rows))

    def _learn(self, rows: Sequence[int], rate: float) -> float:
        import torch

        network, optimizer = self._training.network, self._training.optimizer
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        step = self._training.state.rows_at_once
        for begin in range(0, len(rows), step):
            part = rows[begin : begin + step]
            ids, mask = tensors_of([self._rows.ids[row] for row in part], self._pad, self.device)
            truth = torch.from_numpy(self._rows.truth[part]).to(self.device)
            with self.halved():
                logits = network(input_ids=ids, attention_mask=mask).logits
            loss = torch.nn.functional.cross_entropy(logits.float(), truth, reduction="sum")
            self.scaler.scale(loss / len(rows)).backward()
            total += loss.item()
        for group in optimizer.param_groups:
            group["lr"] = rate
        self.scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        self.scaler.step(optimizer)
        self.scaler.update()
        return total

    def halved(self) -> AbstractContextManager[Any]:
        """Compute in mixed precision inside, where the device has it."""
        import torch

        return nullcontext() if self._half is None else torch.autocast(self.device.type, self._half)

    def _halve(self, error: RuntimeError, rows: int) -> None:
        import torch

        state = self._training.state
        tried = min(rows, state.rows_at_once)
        if tried == 1:
            raise AssayError(
                "There is not enough memory to train on one row at once. Lower estimator.max_tokens, or "
                "take a smaller base."
            ) from error
        state.rows_at_once = tried // 2
        logger.warning(
            "memory does not suffice; %d rows are computed at once from now on", state.rows_at_once
        )
        self._training.optimizer.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def out_of_memory(error: RuntimeError) -> bool:
    """Return whether an error says that a device has too little memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def precision_of(config: TransformerConfig, device: "torch.device") -> "torch.dtype | None":
    """Return the short numbers that a device computes faster with, None for fp32."""
    import torch

    if config.precision == "fp32" or device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def tensors_of(
    rows: Sequence[Sequence[int]], pad: int, device: "torch.device"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return what ``padded`` does on a device."""
    import torch

    ids, mask = padded(rows, pad)
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)

"""How a training went, as a plot: losses and what the validation rows said after each epoch."""

from typing import TYPE_CHECKING, Any

from assay.evaluation.canvas import COLOURS, MUTED, line, render

if TYPE_CHECKING:
    from assay.estimators import TrainingRecord

SIZE = (9.6, 4.2)
"""Inches: two panels beside each other."""


def training_plot(record: "TrainingRecord") -> bytes:
    """Return the curves of a training, at least one epoch long, as PNG bytes.

    Raises MissingExtra when matplotlib is not installed.
    """
    return render(lambda figure: _paint(figure, record), size=SIZE)


def _paint(figure: Any, record: "TrainingRecord") -> None:
    losses, scores = figure.subplots(1, 2)
    ends = _ends(record)
    _losses(losses, record, ends)
    _scores(scores, record)


def _ends(record: "TrainingRecord") -> list[float]:
    """Return after how many batches each epoch ended."""
    last = record.losses[-1][0] if record.losses else len(record.epochs)
    return [last * epoch.number / record.epochs[-1].number for epoch in record.epochs]


def _losses(axes: Any, record: "TrainingRecord", ends: list[float]) -> None:
    line(axes, record.losses, COLOURS[0], "training rows")
    axes.plot(
        ends,
        [epoch.validation_loss for epoch in record.epochs],
        color=COLOURS[1],
        marker="o",
        label="validation rows",
    )
    for end in ends[:-1]:
        axes.axvline(end, color=MUTED, linewidth=0.8, linestyle=(0, (4, 4)))
    axes.set(xlabel="Batches", ylabel="Loss (cross-entropy)")
    axes.set_title("Loss")
    axes.legend()


def _scores(axes: Any, record: "TrainingRecord") -> None:
    numbers = [epoch.number for epoch in record.epochs]
    axes.plot(numbers, [epoch.f1 for epoch in record.epochs], color=COLOURS[0], marker="o", label="F1")
    axes.plot(
        numbers, [epoch.accuracy for epoch in record.epochs], color=COLOURS[1], marker="o", label="accuracy"
    )
    axes.axvline(record.best, color=MUTED, linewidth=0.8, linestyle=(0, (4, 4)), label="kept")
    axes.set_xticks(numbers)
    axes.set(xlabel="Epoch", ylabel="On the validation rows")
    axes.set_title(f"Epoch {record.best} of {len(numbers)} is kept")
    axes.legend()

"""The folder of a look: JSON for machines, a page, Markdown and plots for people."""

from collections.abc import Iterator
from pathlib import Path

from assay.telemetry.drift.card import card_of
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.plots import plots_of
from assay.telemetry.drift.wording import name_of


def write_look(look: Look, folder: Path) -> list[Path]:
    """Write ``drift.json``, ``drift.md``, ``drift.html`` and the plots, and return their paths.

    ``drift.json`` comes last: a folder that has it is whole. The folder is made when it is missing; plots of
    an earlier look that this one has not are removed. Raises MissingExtra when matplotlib or markdown-it-py
    is not installed, OSError when the disk is full.
    """
    plots = dict(plots_of(look))
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    (folder / "drift.json").unlink(missing_ok=True)
    for path in (folder / "plots").glob("*.png"):
        if path.stem not in plots:
            path.unlink()
    return [_write(folder / name, content) for name, content in _files(look, plots)]


def _files(look: Look, plots: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    from assay.evaluation import page_of

    card = card_of(look)
    yield from ((f"plots/{name}.png", plot) for name, plot in plots.items())
    yield "drift.html", page_of(card, title=f"Drift of {name_of(look)}", plots=plots).encode()
    yield "drift.md", card.encode()
    yield "drift.json", (look.model_dump_json(indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> Path:
    """Write a file that is either whole or not there."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path

"""What ``assay doctor`` finds out about encoders: what trains them, what answers with them, who needs it."""

from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from assay.config import Task
from assay.doctor_service import Note
from assay.exceptions import MissingExtra

EXTRAS = {
    "onnx": ("onnxruntime", "tokenizers"),
    "transformers": ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers"),
}
"""The packages that each extra brings, by import name."""
NETWORK = "model.onnx"
"""The file that only the artifact of an encoder has."""


def absent(extra: str) -> list[str]:
    """Return the packages of an extra that are not installed."""
    return [package for package in EXTRAS[extra] if find_spec(package) is None]


def encoders() -> Iterator[Note]:
    """Find out what answers with encoders, on which devices, and what trains them."""
    from assay.estimators import providers

    if not absent("onnx"):
        try:
            number, devices = providers()
        except MissingExtra as error:
            yield Note("BAD", f"onnxruntime is installed and does not load: {error.__cause__}")
        else:
            yield Note("ok", f"encoders are served by ONNX Runtime {number} on {', '.join(devices)}")
    if not absent("transformers"):
        used = ", ".join(f"{package} {version(package)}" for package in ("torch", "transformers"))
        yield Note("ok", f"encoders are trained by {used}")


def trainable(task: Task) -> Iterator[Note]:
    """Find out whether what a task asks for can be trained here."""
    if task.estimator.family != "tfidf" and (missing := absent("transformers")):
        yield Note(
            "note",
            f"task {task.name}: training the family {task.estimator.family!r} needs {', '.join(missing)}; "
            "pip install 'assay[transformers]'",
        )


def servable(folder: Path, called: str) -> Iterator[Note]:
    """Find out whether a version can answer here; ``folder`` is its artifact."""
    if (folder / NETWORK).is_file() and (missing := absent("onnx")):
        yield Note(
            "BAD",
            f"production: {called} is an encoder, and answering with it needs {', '.join(missing)}; "
            "pip install 'assay[onnx]'",
        )

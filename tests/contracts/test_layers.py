"""A stage knows what stands above it in the data's order, and nothing below."""

from pathlib import Path

import pytest

from tests.contracts.sources import SOURCE, Import, imports_of, published

STAGES = (
    *("datasets", "estimators", "evaluation", "gate", "registry"),
    *("rollout", "scoring", "access", "service", "telemetry", "serving", "backup"),
)
FOUNDATION = {
    *(
        "lazy",
        "config",
        "families",
        "frozen",
        "settings",
        "environment",
        "notation",
        "moments",
        "exceptions",
        "progress",
    ),
    *("database", "migrations", "audit"),
}
APART = {"service": {"registry"}}
"""Stages above that are out of bounds all the same: ``asgi.py`` passes in what the service needs of them."""
ROOMS = {
    "mlflow": ("assay.registry",),
    **dict.fromkeys(("torch", "transformers", "onnx", "onnxscript"), ("assay.estimators.transformer",)),
    **dict.fromkeys(
        ("onnxruntime", "tokenizers"), ("assay.estimators.encoder", "assay.estimators.transformer")
    ),
}
"""A heavy package and the only places that import it."""


def faults(source: Path) -> list[str]:
    """Return a line for every import in a source tree that breaks a rule."""
    package = source / "assay"
    found = [
        f"{folder.name} is a folder of assay but no stage"
        for folder in package.iterdir()
        if (folder / "__init__.py").is_file() and folder.name not in STAGES
    ]
    for path in sorted(package.rglob("*.py")):
        for line in imports_of(path, source):
            fault = fault_of(line, package)
            if fault:
                imported = f"{line.package} {line.name}".strip()
                found.append(f"{line.where} imports {imported}: {fault}")
    return found


def fault_of(line: Import, package: Path) -> str | None:
    """Return which rule an import breaks."""
    rooms = ROOMS.get(line.package.split(".")[0], ())
    if rooms and not f"{line.module}.".startswith(tuple(f"{room}." for room in rooms)):
        return f"only {' and '.join(rooms)} may"
    if line.package.startswith("."):
        return "imports are written in full"
    parts = [*line.package.split("."), line.name]
    if parts[0] != "assay" or line.module == "assay" or not parts[1]:
        return None
    return fault_inside(line.module.split(".")[1], parts[1:], package)


def fault_inside(importer: str, target: list[str], package: Path) -> str | None:
    """Return which rule an import within the package breaks."""
    imported = target[0]
    if imported == importer or imported in FOUNDATION or imported.startswith("__"):
        return None
    if importer in FOUNDATION:
        return "what every stage stands on knows no stage"
    if imported not in STAGES:
        return "a stage knows no plumbing" if importer in STAGES else None
    if importer in STAGES and STAGES.index(imported) > STAGES.index(importer):
        return f"{imported} stands below {importer}"
    if imported in APART.get(importer, ()):
        return f"{importer} is kept apart from {imported}"
    inner = target[1] if len(target) > 1 else ""
    if inner and (len(target) > 2 or inner not in published(package / imported / "__init__.py")):
        return f"{imported} does not publish it"
    return None


def test_imports_keep_to_the_layers() -> None:
    assert faults(SOURCE) == []


@pytest.mark.parametrize(
    ("path", "line", "fault"),
    [
        ("datasets/rows.py", "from assay.gate import decide", "gate stands below datasets"),
        ("gate/decide.py", "import assay.service", "service stands below gate"),
        (
            "service/app.py",
            "def f():\n    from assay.registry import find",
            "service is kept apart from registry",
        ),
        ("service/app.py", "from assay.telemetry import Counters", "telemetry stands below service"),
        ("gate/decide.py", "from assay.datasets.rows import Rows", "datasets does not publish it"),
        ("gate/decide.py", "from assay.datasets import rows", "datasets does not publish it"),
        ("cli.py", "from assay.datasets.rows import Rows", "datasets does not publish it"),
        ("gate/decide.py", "from assay.pipeline import run", "a stage knows no plumbing"),
        ("gate/decide.py", "from assay import cli", "a stage knows no plumbing"),
        ("config.py", "from assay.datasets import Rows", "what every stage stands on knows no stage"),
        ("gate/decide.py", "from .rows import Rows", "imports are written in full"),
        ("pipeline.py", "import mlflow.tracking", "only assay.registry may"),
        ("estimators/tfidf.py", "from torch import nn", "only assay.estimators.transformer may"),
        ("estimators/encoder/model.py", "import torch", "only assay.estimators.transformer may"),
        ("estimators/encoder/tokens.py", "import transformers", "only assay.estimators.transformer may"),
        ("estimators/encoder/network.py", "from onnx import load", "only assay.estimators.transformer may"),
        ("service/app.py", "import onnxruntime", "only assay.estimators.encoder and assay.est"),
        ("estimators/transformers.py", "import tokenizers", "only assay.estimators.encoder and assay.est"),
        ("helpers/__init__.py", "", "helpers is a folder of assay but no stage"),
    ],
)
def test_a_broken_layer_is_named(tmp_path: Path, path: str, line: str, fault: str) -> None:
    write_tree(tmp_path, {path: line})
    assert [found for found in faults(tmp_path) if fault in found], faults(tmp_path)


def test_what_the_layers_allow_is_no_fault(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "gate/decide.py": "import json\nfrom assay.config import Task\nfrom assay.datasets import Rows",
            "datasets/rows.py": "from assay.datasets.audit import Audit\nfrom assay import __version__",
            "registry/store.py": "def f():\n    import mlflow",
            "estimators/encoder/tokens.py": "def f():\n    import tokenizers, onnxruntime",
            "estimators/transformer/export.py": "def f():\n    import torch, onnx, onnxruntime.quantization",
            "asgi.py": "from assay import service\nfrom assay.pipeline import run",
        },
    )
    assert faults(tmp_path) == []


def write_tree(folder: Path, files: dict[str, str]) -> None:
    """Write a made-up package: the files given, and a stage that publishes one name."""
    for name, text in ({"datasets/__init__.py": '__all__ = ["Rows"]'} | files).items():
        path = folder / "assay" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

"""What a stage publishes exists, is documented, and is all that the documentation uses."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import assay
from tests.contracts.sources import ROOT, SOURCE, published
from tests.contracts.test_layers import STAGES

BUILT = [stage for stage in STAGES if (SOURCE / "assay" / stage / "__init__.py").is_file()]
USED = re.compile(
    r"^(?:>>> |\s*)(?:from assay\.([\w.]+) import ([\w, ]+)|import assay\.([\w.]+))", re.MULTILINE
)


def undocumented(init: Path, names: list[str]) -> list[str]:
    """Return the published functions and classes of a stage without a docstring of their own."""
    known: dict[str, bool] = {}
    for path in init.parent.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                known[node.name] = known.get(node.name, True) and ast.get_docstring(node) is not None
    return [name for name in names if not known.get(name, True)]


def deep_imports(text: str) -> list[str]:
    """Return the imports in a page that reach past a stage, or to a name that it does not publish."""
    found = []
    for module, names, whole in USED.findall(text):
        stage, *inner = (module or whole).split(".")
        init = SOURCE / "assay" / stage / "__init__.py"
        listed = published(init)
        strays = [name for name in re.findall(r"\w+", names) if init.is_file() and name not in listed]
        if inner or strays:
            found.append(f"assay.{module or whole} {names}".strip())
    return found


@pytest.mark.parametrize("stage", BUILT)
def test_a_stage_publishes_names_that_exist_once(stage: str) -> None:
    """Their order is ruff's to keep (RUF022)."""
    module = importlib.import_module(f"assay.{stage}")
    assert module.__all__
    assert len(module.__all__) == len(set(module.__all__))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("stage", BUILT)
def test_a_stage_documents_itself_and_what_it_publishes(stage: str) -> None:
    init = SOURCE / "assay" / stage / "__init__.py"
    assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
    assert undocumented(init, published(init)) == []


def test_the_root_publishes_names_that_exist() -> None:
    assert [name for name in assay.__all__ if not hasattr(assay, name)] == []
    assert dir(assay) == assay.__all__


def test_the_root_names_what_it_has_when_a_name_is_missing() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'nonesuch'; it has \["):
        assay.nonesuch  # noqa: B018


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str)
def test_documentation_imports_published_names_only(page: Path) -> None:
    assert deep_imports(page.read_text(encoding="utf-8")) == []


def test_a_deep_import_in_a_page_would_be_seen() -> None:
    deep = "from assay.estimators.cascade import Cascade"
    unpublished = ">>> from assay.estimators import hidden"
    fine = "from assay.estimators import Cascade, load_artifact\nfrom assay.config import read_task"
    assert len(deep_imports(f"{deep}\n{unpublished}\n{fine}\n")) == 2


def test_a_missing_docstring_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def bare(): ...\nclass Told:\n    'What it is.'\n", encoding="utf-8")
    assert undocumented(tmp_path / "__init__.py", ["bare", "Told"]) == ["bare"]

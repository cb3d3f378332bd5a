"""The examples in docstrings run, from the repository's root, and give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
EXAMPLES = [path for path in sorted(SOURCE.rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8")]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_the_examples_of_a_module_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, attempted = doctest.testmod(importlib.import_module(name_of(path)))
    assert attempted > 0
    assert failed == 0


def test_the_main_objects_have_an_example() -> None:
    assert {"assay.estimators.artifact", "assay.estimators.cascade", "assay.estimators.training"} <= {
        name_of(path) for path in EXAMPLES
    }

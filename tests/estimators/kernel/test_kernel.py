"""Which form does the work, and why."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from assay.estimators import kernel, uncompiled
from assay.exceptions import ConfigError
from tests.estimators.made_up import made


@pytest.mark.parametrize("part", kernel.PARTS)
def test_the_environment_chooses_python(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_KERNEL", "python")
    assert kernel.compiled(part) is None
    assert uncompiled()[part] == "ASSAY_KERNEL is python"


def test_another_word_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_KERNEL", "c")
    with pytest.raises(ConfigError, match="ASSAY_KERNEL is 'c'; allowed is python, or nothing"):
        made({"free": [1.0]}).logits(["free"])
    with pytest.raises(ConfigError, match="ASSAY_KERNEL is 'c'"):
        uncompiled()


def test_where_a_part_was_not_built_python_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "assay.estimators.kernel.scoring", None)
    monkeypatch.delenv("ASSAY_KERNEL", raising=False)
    assert uncompiled()["scoring"] == "it was not built; install again where there is a C compiler"
    assert made({"free": [1.0]}).logits_of("free free") == (2.0,)


def test_a_part_that_was_built_for_another_machine_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "scoring.so").write_bytes(b"not for this machine")
    monkeypatch.delitem(sys.modules, "assay.estimators.kernel.scoring", raising=False)
    monkeypatch.delattr(kernel, "scoring", raising=False)
    monkeypatch.setattr(kernel, "__path__", [str(tmp_path)])
    monkeypatch.delenv("ASSAY_KERNEL", raising=False)
    assert kernel.compiled("scoring") is None
    assert uncompiled()["scoring"].startswith("what was built cannot be loaded here: ")


def test_what_was_built_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_KERNEL", raising=False)
    for part in kernel.PARTS:
        assert part in uncompiled() or isinstance(kernel.compiled(part), ModuleType)

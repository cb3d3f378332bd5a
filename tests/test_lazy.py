"""Packages that import what they publish when it is used."""

import re
import subprocess
import sys
from importlib import import_module

import pytest

from assay.lazy import lazily

MODULES = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for each in pkgutil.walk_packages(package.__path__, sys.argv[1] + "."):
    importlib.import_module(each.name)
print([name for name in package.__all__ if type(getattr(package, name)).__name__ == "module"])
"""


def test_a_name_is_what_its_module_has_under_it() -> None:
    get = lazily("assay", {"moments": ("SECONDS",), "notation": ("pairs as couples",)})
    assert get("SECONDS") is import_module("assay.moments").SECONDS
    assert get("couples") is import_module("assay.notation").pairs


def test_a_name_that_is_not_published_is_named_with_those_that_are() -> None:
    with pytest.raises(
        AttributeError, match=re.escape("'assay' has no attribute 'SECOND'; it has ['SECONDS']")
    ):
        lazily("assay", {"moments": ("SECONDS",)})("SECOND")


def test_a_name_that_its_module_would_take_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("assay.moments would be the module of that name")):
        lazily("assay", {"moments": ("SECONDS as moments",)})


@pytest.mark.parametrize("package", ["datasets", "estimators", "registry", "telemetry"])
def test_what_is_published_is_no_module_also_when_all_modules_are_imported(package: str) -> None:
    command = [sys.executable, "-c", MODULES, f"assay.{package}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"

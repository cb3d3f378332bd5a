"""Every file of this folder trains or exports encoders: without PyTorch each is skipped by name."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.libraries import TRAINING, need_training


class Untrainable(pytest.Module):
    """A file of tests that is not even imported."""

    def collect(self) -> list[pytest.Item]:
        """Skip it, with what is missing as the reason."""
        need_training()
        return []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Take the place of each file where a library is missing."""
    if all(find_spec(package) for package in TRAINING):
        return None
    found: pytest.Module = Untrainable.from_parent(parent, path=module_path)
    return found

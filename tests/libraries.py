"""Libraries that a machine may not have: tests of what needs them are skipped there, and say so."""

from importlib.util import find_spec

import pytest

TRAINING = ("torch", "transformers", "onnx", "onnxscript")
"""What training encoders needs, and answering with them does not."""


def need_training() -> None:
    """Skip the test, or the module that is being collected, where encoders cannot be trained."""
    missing = [package for package in TRAINING if find_spec(package) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; docs/transformers.md says how (make torch)"
        pytest.skip(reason, allow_module_level=True)

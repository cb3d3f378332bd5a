"""What the build compiles, each part with the same answers as its form in Python."""

import os
from importlib import import_module
from types import ModuleType


def compiled(name: str) -> ModuleType | None:
    """Return a compiled part; None where there is none or ``ASSAY_KERNEL=python`` asks for Python's form."""
    if os.environ.get("ASSAY_KERNEL") == "python":
        return None
    try:
        return import_module(f"{__name__}.{name}")
    except ImportError:
        return None

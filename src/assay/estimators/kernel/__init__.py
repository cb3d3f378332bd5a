"""What the build compiles, each part with the same answers as its form in Python."""

import importlib
import os
from functools import cache
from types import ModuleType

__all__ = ["compiled"]


@cache
def compiled(part: str) -> ModuleType | None:
    """Return a compiled part, or None where it was not built or ``ASSAY_KERNEL`` is ``python``."""
    if os.environ.get("ASSAY_KERNEL") == "python":
        return None
    try:
        return importlib.import_module(f"{__name__}.{part}")
    except ModuleNotFoundError:
        return None

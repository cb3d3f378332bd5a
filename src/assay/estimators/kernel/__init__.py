"""What the build compiles, each part with the same answers as its form in Python.

``ASSAY_KERNEL=python`` in the environment chooses Python's forms; where a part was not built they do the
work as well.
"""

import os
from importlib import import_module
from types import ModuleType

from assay.exceptions import ConfigError

__all__ = ["PARTS", "compiled", "why_python"]

PARTS = ("scoring", "folding", "counting")
VARIABLE = "ASSAY_KERNEL"


def compiled(part: str) -> ModuleType | None:
    """Return a compiled part, or None where Python does its work.

    Raises ConfigError for a value of ``ASSAY_KERNEL`` that means nothing.
    """
    found = _look(part)
    return found if isinstance(found, ModuleType) else None


def why_python(part: str) -> str | None:
    """Return why Python does a part's work; None where the compiled part does. Raises ConfigError."""
    found = _look(part)
    return None if isinstance(found, ModuleType) else found


def _look(part: str) -> ModuleType | str:
    """Return a compiled part, or why there is none."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "python"):
        raise ConfigError(f"{VARIABLE} is {wanted!r}; allowed is python, or nothing for the compiled kernel.")
    if wanted:
        return f"{VARIABLE} is python"
    try:
        return import_module(f"{__name__}.{part}")
    except ModuleNotFoundError:
        return "it was not built; install again where there is a C compiler"
    except ImportError as error:
        return f"what was built cannot be loaded here: {error}"

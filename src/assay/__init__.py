"""Assay trains, gates, registers, serves and watches text classifiers.

``assay.load("spam")`` gives the production version of a task, ``assay.load(path)`` an artifact folder;
both decide: ``assay.load("spam").decide(["free prize"])``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.estimators import Cascade as Cascade
    from assay.estimators import Decision as Decision
    from assay.exceptions import AssayError as AssayError
    from assay.loading import load as load

__version__ = "0.1.0"

_homes = {
    "AssayError": "assay.exceptions",
    "Cascade": "assay.estimators",
    "Decision": "assay.estimators",
    "load": "assay.loading",
}

__all__ = ["AssayError", "Cascade", "Decision", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in _homes:
        return getattr(import_module(_homes[name]), name)
    raise AttributeError(f"module 'assay' has no attribute {name!r}; it has {__all__}")


def __dir__() -> list[str]:
    return __all__

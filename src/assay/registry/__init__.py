"""Runs, versions, who serves and since when: the only importer of MLflow, which most of it does without."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.registry.account import who_of
    from assay.registry.fetching import fetch_version, open_version
    from assay.registry.gate_file import read_gate
    from assay.registry.history import Tenure, tenure_at, tenures
    from assay.registry.models import find_models
    from assay.registry.registry import Registry
    from assay.registry.versions import Version, find_production, find_version
else:
    __getattr__ = lazily(
        __name__,
        {
            "account": ("who_of",),
            "fetching": ("fetch_version", "open_version"),
            "gate_file": ("read_gate",),
            "history": ("Tenure", "tenure_at", "tenures"),
            "models": ("find_models",),
            "registry": ("Registry",),
            "versions": ("Version", "find_production", "find_version"),
        },
    )

__all__ = [
    "Registry",
    "Tenure",
    "Version",
    "fetch_version",
    "find_models",
    "find_production",
    "find_version",
    "open_version",
    "read_gate",
    "tenure_at",
    "tenures",
    "who_of",
]

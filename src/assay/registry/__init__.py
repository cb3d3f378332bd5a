"""Runs, versions, who serves and since when: the only importer of MLflow, which most of it does without."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.registry.account import who_of
    from assay.registry.fetching import fetch_version, local_folder, open_version
    from assay.registry.gate_file import read_gate
    from assay.registry.history import Tenure, tenure_at, tenures
    from assay.registry.models import find_models
    from assay.registry.places import Inventory, inventory_of, move_sources, moved_source
    from assay.registry.registry import Registry
    from assay.registry.store import Store, parse_store
    from assay.registry.versions import Version, find_production, find_version
else:
    __getattr__ = lazily(
        __name__,
        {
            "account": ("who_of",),
            "fetching": ("fetch_version", "local_folder", "open_version"),
            "gate_file": ("read_gate",),
            "history": ("Tenure", "tenure_at", "tenures"),
            "models": ("find_models",),
            "places": ("Inventory", "inventory_of", "move_sources", "moved_source"),
            "registry": ("Registry",),
            "store": ("Store", "parse_store"),
            "versions": ("Version", "find_production", "find_version"),
        },
    )

__all__ = [
    "Inventory",
    "Registry",
    "Store",
    "Tenure",
    "Version",
    "fetch_version",
    "find_models",
    "find_production",
    "find_version",
    "inventory_of",
    "local_folder",
    "move_sources",
    "moved_source",
    "open_version",
    "parse_store",
    "read_gate",
    "tenure_at",
    "tenures",
    "who_of",
]

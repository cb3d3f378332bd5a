"""Labelled text in: named sets and a team's own files, read, checked, split and fingerprinted."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.datasets.adding import add_training
    from assay.datasets.catalog import CATALOG, NamedSet, WheelFile
    from assay.datasets.columns import find_column
    from assay.datasets.fetching import fetch
    from assay.datasets.fingerprint import fingerprint_of
    from assay.datasets.loading import load_dataset
    from assay.datasets.opening import read_table
    from assay.datasets.resemblance import near_duplicates, near_repeats
    from assay.datasets.rows import Dataset, Rows
    from assay.datasets.splitting import digest_of, normalise, side_of
    from assay.datasets.table import Format, Layout, Row, Table
    from assay.datasets.validation import Audit, Finding
    from assay.datasets.wheels import fetch_wheel
else:
    __getattr__ = lazily(
        __name__,
        {
            "adding": ("add_training",),
            "catalog": ("CATALOG", "NamedSet", "WheelFile"),
            "columns": ("find_column",),
            "fetching": ("fetch",),
            "fingerprint": ("fingerprint_of",),
            "loading": ("load_dataset",),
            "resemblance": ("near_duplicates", "near_repeats"),
            "opening": ("read_table",),
            "rows": ("Dataset", "Rows"),
            "splitting": ("digest_of", "normalise", "side_of"),
            "table": ("Format", "Layout", "Row", "Table"),
            "validation": ("Audit", "Finding"),
            "wheels": ("fetch_wheel",),
        },
    )

__all__ = [
    "CATALOG",
    "Audit",
    "Dataset",
    "Finding",
    "Format",
    "Layout",
    "NamedSet",
    "Row",
    "Rows",
    "Table",
    "WheelFile",
    "add_training",
    "digest_of",
    "fetch",
    "fetch_wheel",
    "find_column",
    "fingerprint_of",
    "load_dataset",
    "near_duplicates",
    "near_repeats",
    "normalise",
    "read_table",
    "side_of",
]

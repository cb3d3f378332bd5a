"""Runs, versions and what serves: the only importer of MLflow, which finding and fetching do without."""

from assay.registry.audit import AuditLog, Entry, Seat, Verification
from assay.registry.fetching import fetch_version
from assay.registry.history import Tenure, parse_moment, tenure_at, tenures
from assay.registry.registry import Registry
from assay.registry.resolve import Found, find_production, find_version
from assay.registry.versions import Version

__all__ = [
    "AuditLog",
    "Entry",
    "Found",
    "Registry",
    "Seat",
    "Tenure",
    "Verification",
    "Version",
    "fetch_version",
    "find_production",
    "find_version",
    "parse_moment",
    "tenure_at",
    "tenures",
]

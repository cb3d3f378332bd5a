"""Which code and which libraries made a model."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("assay", "google-re2", "numpy", "scikit-learn", "scipy", "mlflow")


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what a model becomes, of those installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit(folder: Path | None = None) -> str | None:
    """Return the commit checked out in a folder (else the current one), None outside a checkout.

    A work tree with changes is marked: ``<commit>-dirty``.
    """
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None

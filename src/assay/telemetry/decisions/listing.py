"""The files of a log that others rotate, compress and put together meanwhile."""

import re
from datetime import UTC, datetime
from pathlib import Path

from assay.exceptions import LogError
from assay.telemetry.decisions.names import SPAN_FORMAT, LogName, files_in

LOOKS = 20
"""How often a folder that changes under the eyes is listed again."""

_ENDING = re.compile(r"\.(?:jsonl|jsonl\.gz|parquet)$")


def list_log(folder: Path) -> list[LogName]:
    """Return the files of a log in the order of their first decisions, those that are written to last.

    A file that is renamed while a folder is listed may be missing from the list under both of its names, so
    it is listed until two lists agree. Raises LogError when it cannot be listed.
    """
    try:
        names: list[LogName] = list(files_in(folder))
        for _ in range(LOOKS):
            before, names = names, list(files_in(folder))
            if names == before:
                break
    except OSError as error:
        raise LogError(
            f"The decision log in {str(folder)!r} cannot be read: {error.strerror or error}. Give this "
            "account the right to list the folder.",
            folder=folder,
        ) from error
    return sorted(names, key=_order)


def check_folder(folder: Path) -> None:
    """Raise LogError, saying where to look, when a log's folder does not exist."""
    if not folder.is_dir():
        raise LogError(
            f"There is no decision log in {str(folder)!r}: it is no folder. A service that keeps a log makes "
            "it; name it in ASSAY_DECISION_FOLDER, or in ASSAY_HOME the folder that holds it as logs.",
            folder=folder,
        )


def source_of(name: str) -> str:
    """Return a closed file's name without its ending: the same whether it is compressed or not."""
    return _ENDING.sub("", name)


def first_of(source: str) -> float | None:
    """Return the moment of the first decision in a closed file by its name; None for another name."""
    try:
        written = source.split(".")[1].split("-")[0]
        return datetime.strptime(written, SPAN_FORMAT).replace(tzinfo=UTC).timestamp()
    except (IndexError, ValueError):
        return None


def _order(name: LogName) -> tuple[bool, float, float, str]:
    return name.active, name.first or 0.0, name.last or 0.0, name.path.name

"""What commands have in common: exit codes, lines on standard output, and what their options mean."""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.config import Task
    from assay.settings import Settings

OK, ERROR, BLOCKED = 0, 1, 2
"""Exit codes."""


def say(line: str) -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{line}\n")


def tell(lines: Iterable[str], code: int = OK) -> int:
    """Write lines to standard output as they come and return the exit code."""
    for line in lines:
        say(line)
    return code


def settings_of(**given: object) -> "Settings":
    """Return the settings of the environment and its files, those of the command line over them."""
    from assay.environment import read_settings

    return read_settings(options={key: value for key, value in given.items() if value is not None})


def columns_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say of the rows: source and columns, those that were given."""
    slices = tuple(options.slice) if options.slice else None
    given = {"source": options.data, "text": options.text, "label": options.label, "slices": slices}
    return {key: value for key, value in given.items() if value is not None}


def task_meant(options: argparse.Namespace, settings: "Settings") -> "Task":
    """Return the task that the options name, reading the rows that they name."""
    from assay.taskfiles import task_of

    return task_of(options.task, settings, columns=columns_of(options))


def version_meant(options: argparse.Namespace, model: str, settings: "Settings") -> str:
    """Return the version that the options name, by a reference or by a file of ``assay train --output``."""
    from assay.handover import version_named

    return version_named(options.version, model, settings)

"""A process that is killed at one step of a backup or a restore.

``python -m tests.backup.dying STEP COMMAND...``: a step is one change of the disk, a rename, a folder made, a
file forced to disk. 0 kills nothing, and the last line on standard error is then how many steps there were.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.cli import main

DONE = 0


def watched(act: Callable[..., Any], fatal: int) -> Callable[..., Any]:
    """Return what does the same, and dies before the fatal step."""

    def step(*values: Any, **options: Any) -> Any:
        global DONE  # noqa: PLW0603 - the count of this process
        DONE += 1
        if fatal == DONE:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*values, **options)

    return step


if __name__ == "__main__":
    fatal = int(sys.argv[1])
    for place, name in (
        (Path, "rename"),
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "mkdir"),
        (os, "fsync"),
    ):
        setattr(place, name, watched(getattr(place, name), fatal))
    code = main(sys.argv[2:])
    sys.stderr.write(f"{DONE}\n")
    sys.exit(code)

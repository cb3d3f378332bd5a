"""What a test starts and opens itself, whatever other tests have left running in the process."""

import threading
from pathlib import Path


def threads_since(before: set[threading.Thread]) -> int:
    """Return how many threads run that did not before."""
    return len(set(threading.enumerate()) - before)


def open_under(folder: Path) -> list[str]:
    """Return the files below a folder that this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            target = str(each.readlink())
        except FileNotFoundError:
            # Of this very listing, or closed meanwhile.
            continue
        if target.startswith(str(folder)):
            found.append(target)
    return found

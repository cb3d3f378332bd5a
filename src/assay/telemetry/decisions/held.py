"""A decision log as it is at one moment, held still for a copy while workers write on."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.exceptions import LogError
from assay.telemetry.decisions.listing import LOOKS, list_log
from assay.telemetry.decisions.names import LogName
from assay.telemetry.decisions.upkeep import upkeep

TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class HeldFile:
    """One file of the log: its name, where to read it now, and how many of its bytes are whole lines."""

    name: str
    path: Path
    size: int


@contextmanager
def held_log(folder: Path) -> Iterator[list[HeldFile]]:
    """Hand out the files of a log; while the block runs none of them is compressed, compacted or deleted.

    Of a file that is written to, it is the lines that are whole now. A worker may close such a file and begin
    another meanwhile: ``path`` leads to what it was. Nothing where there is no log. Raises LogError.
    """
    if not folder.is_dir():
        yield []
        return
    with upkeep(folder), ExitStack() as stack:
        yield _hold(folder, stack)


def _hold(folder: Path, stack: ExitStack) -> list[HeldFile]:
    for _ in range(LOOKS):
        with ExitStack() as opened:
            names = list_log(folder)
            held = [_held(name, opened) for name in names]
            # A file that was closed between the list and its opening has another name in the next list.
            if None not in held and list_log(folder) == names:
                stack.push(opened.pop_all())
                return [each for each in held if each is not None]
    raise LogError(
        f"The files of the decision log in {str(folder)!r} changed each time they were listed. Try again.",
        folder=folder,
    )


def _held(name: LogName, stack: ExitStack) -> HeldFile | None:
    """Return a file as it is now, None where it has gone; one that is written to is kept open for it."""
    try:
        if not name.active:
            return HeldFile(name.path.name, name.path, name.path.stat().st_size)
        descriptor = os.open(name.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    stack.callback(os.close, descriptor)
    # By its descriptor: the name may lead to another file soon.
    return HeldFile(name.path.name, Path(f"/proc/self/fd/{descriptor}"), whole_lines(descriptor))


def whole_lines(descriptor: int) -> int:
    """Return the bytes of an open file up to the end of its last whole line."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - TAIL_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

"""A worker that notes where its processor goes: ``python -m benchmarks.sampling OUT COMMAND [ARGUMENT]...``

Runs a command of ``assay`` with a timer on the processor (ITIMER_PROF), and notes the stack of the main
thread whenever it rings. Python hears it when the function in C that runs returns, so that time in C falls to
the line that called it. SIGUSR1 begins, so that the start is left out; SIGUSR2 ends it and writes the stacks
to OUT, each with how often it was seen.
"""

import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

INTERVAL = 0.001
"""Seconds of processor between two looks; the kernel's own tick (often 4 ms) is the least."""
DEEPEST = 40
"""Frames of a stack that are kept, from the innermost."""

Stack = tuple[str, ...]
"""``file:function`` of each frame, the innermost first."""


class Sampling:
    """Counts the stacks that were seen, by the calls of ``tick``."""

    def __init__(self) -> None:
        self.stacks: Counter[Stack] = Counter()

    def tick(self, _number: int, frame: FrameType | None) -> None:
        """Note what the main thread does."""
        stack: list[str] = []
        while frame is not None and len(stack) < DEEPEST:
            stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")
            frame = frame.f_back
        self.stacks[tuple(stack)] += 1

    def told(self) -> list[tuple[Stack, int]]:
        """Return each stack and how often it was seen."""
        return list(self.stacks.items())


def main(arguments: Sequence[str]) -> int:
    """Run a command and write what was seen of it; return its exit code."""
    from assay.cli import main as command

    sampling, out = Sampling(), Path(arguments[0])
    signal.signal(signal.SIGPROF, sampling.tick)
    # A signal wakes the loop only where there is one to wake; reads and writes begin anew by themselves.
    signal.siginterrupt(signal.SIGPROF, False)
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL))

    def end(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        draft = out.with_suffix(".draft")
        draft.write_text(json.dumps(sampling.told()), encoding="utf-8")
        draft.replace(out)

    signal.signal(signal.SIGUSR2, end)
    return command(list(arguments[1:]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

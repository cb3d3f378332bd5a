"""The decision log beside the requests: every decision a line, and shown to whoever watches."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

from assay.service import Decided
from assay.telemetry import backlog
from assay.telemetry.backlog import Backlog, Bounds
from assay.telemetry.decisions.keeping import Keeping
from assay.telemetry.decisions.record import line_of
from assay.telemetry.decisions.recording import Recording, Unknown
from assay.telemetry.decisions.seen import Seen
from assay.telemetry.decisions.writing import LogPolicy, Writing

logger = logging.getLogger(__name__)

Observer = Callable[[Sequence[Seen]], None]

PAUSE_SECONDS = 0.02
"""Between two looks at what waits: so that it is short, for the garbage collector too."""
WRITE_SECONDS = backlog.PAUSE_SECONDS - PAUSE_SECONDS
"""Between two writes; what came in this time and a look's is lost when the process is killed."""
KEEP_SECONDS = 10.0
"""Between two rounds of keeping house."""

LONGEST_WAITING = 20_000
"""Decisions that wait to be looked at, and lines that wait for the disk; more are dropped."""
LONGEST_CONTENT = 32_000_000
"""Characters of texts, and bytes of lines, that wait; more are dropped."""

BATCH = 1_000
MOST_READY = 4_000
"""Lines that are written before their time has come."""
SHOWN = 100
"""Decisions that are shown together to whoever watches."""
SLICE, LONG_SLICE = 16, 128
"""Decisions between two pauses: a few, and where ``BEHIND`` wait, more."""
BEHIND = 2_000
LONG_BREATH_SECONDS, BREATH_SECONDS = 0.002, 0.0002
"""Pauses where nothing waits, and where ``BEHIND`` decisions do; between, in proportion. Whoever answers
requests waits for the interpreter while this thread has it, so it takes little at a time never a burst."""

TOLD_SECONDS = 60.0
"""Between two messages of dropped decisions."""


def pause_for(waiting: int) -> float:
    """Return the seconds of a pause while so many decisions wait."""
    return max(BREATH_SECONDS, LONG_BREATH_SECONDS * (1.0 - waiting / BEHIND))


class LogMetrics(Protocol):
    """Where the log tells how it does; ``telemetry.Counters`` is one."""

    def logged(self, count: int, bytes: int) -> None:
        """Count decisions that were written, and the bytes of their lines."""

    def unlogged_decisions(self, count: int) -> None:
        """Count decisions that the log has no line of."""

    def log_state(self, waiting: int, lag: float) -> None:
        """Say how many decisions wait, and how many seconds the oldest has."""

    def degraded(self, part: str, trouble: bool) -> None:
        """Say whether a part that the service can do without is out of order."""


class DecisionLog(Backlog[Decided]):
    """Takes note of decisions at once; a thread of its own makes lines of them, shows and writes them.

    Parameters
    ----------
    folder
        Where the files are; without it nothing is written, and observers are all that sees decisions.
    metrics
        Where it tells how it does.
    policy
        What is kept, and how.
    observers
        Shown every decision, also those of which no line is kept.
    unknown
        Returns the share of a text's words that a model does not know; None where it cannot tell.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        metrics: LogMetrics,
        policy: LogPolicy | None = None,
        observers: Sequence[Observer] = (),
        unknown: Unknown | None = None,
    ) -> None:
        """Look whether the folder can be used; raises ConfigError when it cannot."""
        super().__init__(
            f"The decision log {folder}" if folder else "The watch on decisions",
            "decisions",
            Bounds(LONGEST_WAITING, LONGEST_CONTENT),
            pause=PAUSE_SECONDS,
            on_trouble=lambda trouble: metrics.degraded("decision_log", trouble),
        )
        self._folder, self._metrics, self._policy = folder, metrics, policy or LogPolicy()
        self._writing = Writing(folder, self._policy) if folder else None
        hashes = self._writing.hashes if self._writing else None
        kept = self._policy
        self._recording = Recording(hashes, text=kept.text, share=kept.share, unknown=unknown)
        self._observers = list(observers)
        self._failed: set[int] = set()
        self._made, self._breath_at = 0, SLICE
        self._seen: list[Seen] = []
        self._ready: list[bytes] = []
        self._ready_bytes = self._written = 0
        self._ready_since: float | None = None
        self._write_at = 0.0
        self._untold, self._told_at = 0, -TOLD_SECONDS
        self._closed = Event()

    def write(self, decided: Decided) -> None:
        """Take note of decisions that are about to be answered; never waits for a disk."""
        texts, count = decided.texts, len(decided.decisions)
        content = len(texts[0]) if count == 1 else sum(map(len, texts))
        if not self._offer(decided, count, content):
            self._metrics.unlogged_decisions(count)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write while the block runs, and at its end what is left, if the disk takes it soon enough."""
        with ExitStack() as stack:
            if self._folder:
                stack.enter_context(self._keeping(self._folder))
            stack.enter_context(super().running())
            yield

    def state(self) -> dict[str, Any]:
        """Return how the log of this process does, as ``/health`` shows it."""
        waiting, lag = self._lag()
        return {
            "folder": str(self._folder) if self._folder else None,
            "written": self._written,
            "dropped": self.dropped,
            "waiting": waiting,
            "lag_seconds": round(lag, 3),
            "text": self._policy.text,
            "reason": self.trouble or None,
        }

    def _write_batch(self) -> bool:
        taken = self._take(BATCH)
        self._untold += taken.lost
        if taken.items and self._ready_since is None:
            self._ready_since = taken.since
        for each in taken.items:
            self._make(each)
        self._show()
        self._let_go(taken.lines, taken.content)
        if not self._ready:
            self._ready_since = None
        self._write_when_due()
        return bool(taken.items)

    def _make(self, decided: Decided) -> None:
        """Make lines of decisions, as long as there is room for them, and show the decisions."""
        made, recording = self._made, self._recording
        try:
            subject = recording.subject(decided)
            for text, decision in zip(decided.texts, decided.decisions, strict=True):
                seen, told = recording.note(decided, text, decision, subject)
                self._made += 1
                if self._observers:
                    self._seen.append(seen)
                if told is not None:
                    self._queue(told)
                if self._made >= self._breath_at:
                    self._breathe()
        except Exception:  # the edge of a thread: one odd decision must not end the log of all others
            logger.exception("Decisions of request %s have no record.", decided.exchange.request_id)
            self._lose(len(decided.decisions) - (self._made - made))

    def _breathe(self) -> None:
        pause, behind = pause_for(self._lines), self._lines >= BEHIND
        time.sleep(pause)
        if len(self._seen) >= SHOWN:
            self._show()
            time.sleep(pause)
        self._breath_at = self._made + (LONG_SLICE if behind else SLICE)

    def _show(self) -> None:
        seen, self._seen = self._seen, []
        for observer in self._observers if seen else ():
            try:
                observer(seen)
            except Exception:  # whoever watches must not end the log
                if id(observer) not in self._failed:
                    logger.exception("What watches decisions failed: %r.", observer)
                self._failed.add(id(observer))

    def _queue(self, told: Mapping[str, Any]) -> None:
        try:
            line = line_of(told)
        except TypeError:
            logger.exception("The decision %s cannot be written as a line.", told["id"])
            self._lose(1)
            return
        if len(self._ready) >= LONGEST_WAITING or self._ready_bytes + len(line) > LONGEST_CONTENT:
            self._lose(1)
            return
        self._ready.append(line)
        self._ready_bytes += len(line)

    def _write_when_due(self) -> None:
        now = time.monotonic()
        full = len(self._ready) >= MOST_READY and not self.trouble
        if now < self._write_at and not full and not self._stopping.is_set():
            return
        self._write_at = now + WRITE_SECONDS
        if self._writing:
            self._write(self._writing)
        self._report()

    def _write(self, writing: Writing) -> None:
        reason = self.trouble
        try:
            if self._ready:
                reason = ""
                writing.append(self._ready)
                self._metrics.logged(len(self._ready), self._ready_bytes)
                self._written += len(self._ready)
                self._ready, self._ready_bytes, self._ready_since = [], 0, None
            if writing.tend():
                self._closed.set()
        except OSError as error:
            reason = error.strerror or str(error)
        self._tell(reason)

    def _lose(self, count: int) -> None:
        with self._lock:
            self.dropped += count
        self._untold += count
        self._metrics.unlogged_decisions(count)

    def _report(self) -> None:
        self._metrics.log_state(*self._lag())
        now = time.monotonic()
        if self._untold and now - self._told_at >= TOLD_SECONDS:
            told = "%s has no line of %s decisions: they came faster than they could be written."
            logger.error(told, self._called, f"{self._untold:,}")
            self._untold, self._told_at = 0, now

    def _lag(self) -> tuple[int, float]:
        """Return how many decisions have no line yet, and how many seconds the oldest has waited."""
        since = self._ready_since or self._oldest()
        waiting = self._lines + len(self._ready)
        return waiting, time.monotonic() - since if since else 0.0

    @contextmanager
    def _keeping(self, folder: Path) -> Iterator[None]:
        """Keep house while the block runs, in a thread that gives way to those who answer requests."""
        ended = Event()
        keeping = Keeping(folder, days=self._policy.days, stopping=ended.is_set)

        def keep() -> None:
            while not ended.is_set():
                self._closed.wait(KEEP_SECONDS)
                self._closed.clear()
                # Whoever writes may hang at the disk, and tells nothing then.
                self._metrics.log_state(*self._lag())
                if not ended.is_set():
                    keeping.keep()

        thread = Thread(target=keep, name="decision log keeping", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            self._closed.set()
            thread.join(backlog.STOP_SECONDS)

    def _left(self) -> int:
        return super()._left() + len(self._ready) + self._untold

    def _close(self) -> None:
        if self._writing:
            try:
                self._writing.close()
            except OSError as error:
                logger.error("%s could not be forced to disk: %s", self._called, error.strerror or error)

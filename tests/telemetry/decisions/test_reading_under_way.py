"""The log read and erased while real workers write, rotate, compress, and its files are put together."""

import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assay.telemetry import Notes, Record, compact, erase, read_records
from assay.telemetry.decisions.erasing import Erased
from tests.contracts.sources import ROOT
from tests.telemetry.decisions import writing_worker

SUBJECT = "5" * 32
LOOKS = 6


class Worker:
    """A worker in a process of its own; ``last`` is the number of its last line that is in a file."""

    def __init__(self, folder: Path, slot: int, subjects: int = 0) -> None:
        command = [sys.executable, "-m", writing_worker.__name__, str(folder), str(slot), str(subjects)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self.key, self.last = f"worker-{slot}", -1
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = int(line)

    def end(self) -> None:
        """Have the process stop, and wait for its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._thread.join(60)
        assert self.process.wait(60) == 0
        self.process.stdout.close()  # type: ignore[union-attr]


@contextmanager
def working(*workers: Worker) -> Iterator[None]:
    """End the workers at the end of the block, also where it fails."""
    try:
        yield
        for worker in workers:
            assert worker.process.poll() is None
            worker.end()
    except BaseException:
        for worker in workers:
            worker.process.kill()
            worker.process.communicate()
        raise


def by_key(records: Iterator[Record]) -> dict[str, list[int]]:
    """Return the numbers of records by the worker that wrote them."""
    found: dict[str, list[int]] = defaultdict(list)
    for each in records:
        found[each.key].append(each.characters)
    return found


def wait_for(workers: Sequence[Worker], number: int) -> None:
    """Wait until every worker has written so many decisions."""
    until = time.monotonic() + 60
    while min(worker.last for worker in workers) < number:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_nothing_is_read_twice_or_missed(tmp_path: Path) -> None:
    workers = [Worker(tmp_path, slot) for slot in (1, 2)]
    stop, faults = threading.Event(), []

    def keep_house() -> None:
        while not stop.wait(0.05):
            notes = Notes()
            list(compact(tmp_path, now=datetime.now(UTC) + timedelta(days=2), notes=notes))
            faults.extend(notes.faults)

    keeper = threading.Thread(target=keep_house)
    with working(*workers):
        wait_for(workers, 100)
        keeper.start()
        try:
            for look in range(LOOKS):
                # A file is closed every 200 decisions.
                wait_for(workers, 250 * (look + 1))
                before, notes = [worker.last for worker in workers], Notes()
                found = by_key(read_records(tmp_path, notes=notes))
                for worker, least in zip(workers, before, strict=True):
                    numbers = sorted(found[worker.key])
                    assert len(numbers) == len(set(numbers))
                    assert set(numbers) >= set(range(least + 1))
                assert (notes.torn, notes.faults) == (0, [])
        finally:
            stop.set()
            keeper.join()
    assert faults == []
    assert list(tmp_path.glob("*.parquet"))
    found = by_key(read_records(tmp_path))
    assert {key: len(each) for key, each in found.items()} == {each.key: each.last + 1 for each in workers}


def test_a_subject_is_erased_while_it_is_written_and_nothing_else(tmp_path: Path) -> None:
    subjects, erased = 300, Erased()
    workers = [Worker(tmp_path, slot, subjects) for slot in (1, 2)]
    with working(*workers):
        wait_for(workers, subjects)
        assert any(each.subject == SUBJECT for each in read_records(tmp_path))
        erase(tmp_path, SUBJECT, forget=lambda ids: 0, erased=erased, grace=0.2, wait=0.2)
        assert not [each for each in read_records(tmp_path) if each.subject == SUBJECT]
    found = by_key(read_records(tmp_path))
    for worker in workers:
        kept = [number for number in range(worker.last + 1) if number >= subjects or number % 3]
        assert sorted(found[worker.key]) == kept
    assert len(erased.ids) == 2 * subjects / 3
    assert erased.faults == []

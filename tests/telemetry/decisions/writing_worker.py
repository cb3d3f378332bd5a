"""A worker that writes, rotates and compresses until it is told to stop: for tests of what reads meanwhile.

Arguments: folder, slot, and how many decisions, from the first on, are about a subject every third time. It
says the number of its last line that is in the file, again and again, and stops when its input ends.
"""

import gzip
import shutil
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from assay.telemetry.decisions.names import active_name, closed_name
from assay.telemetry.decisions.slots import keeping_house
from assay.telemetry.logfile import LogFile
from tests.telemetry.decisions.written import id_at, record

BATCH = 20
PAUSE_SECONDS = 0.04
"""What is read meanwhile grows no faster than this, however long the readers take."""
ROTATE = 10
SLOT = 1_000_000


def compress(path: Path) -> None:
    """Put a compressed file in a closed one's place."""
    draft = path.with_name(f".{path.name}.draft")
    with suppress(FileNotFoundError), path.open("rb") as plain, gzip.open(draft, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    if draft.exists():
        draft.rename(path.with_name(f"{path.name}.gz"))
        path.unlink(missing_ok=True)


def main(folder: Path, slot: int, subjects: int) -> None:
    """Write until the input ends."""
    active, closed = folder / active_name(slot), []
    log = LogFile(str(active))
    first = None
    waiting = threading.Thread(target=sys.stdin.read)
    waiting.start()
    for batch in count(0, BATCH):
        if not waiting.is_alive():
            break
        at = time.time()
        made = [
            record(
                number,
                at=at,
                # Another worker may write the same number in the same millisecond.
                id=id_at(at, SLOT * slot + number),
                key=f"worker-{slot}",
                subject="5" * 32 if number < subjects and number % 3 == 0 else None,
            )
            for number in range(batch, batch + BATCH)
        ]
        first = first or made[0].at
        log.append([each.line() for each in made])
        sys.stdout.write(f"{batch + BATCH - 1}\n")
        sys.stdout.flush()
        if batch // BATCH % ROTATE == ROTATE - 1:
            target = folder / closed_name(slot, first, made[-1].at)
            # Whoever erases may have moved it already.
            with suppress(FileNotFoundError):
                active.rename(target)
                closed.append(target)
            first = None
            if len(closed) > 1:
                # As the service does: else files that are put together change their names again and again.
                with keeping_house(folder, wait=True):
                    compress(closed.pop(0))
        time.sleep(PAUSE_SECONDS)
    log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))

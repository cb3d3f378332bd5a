"""What the garbage collector costs a service with and without the freeze at its start."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import gc, json, sys, time
from pathlib import Path
from statistics import median
from assay.asgi import build_app
from assay.serving.opening import open_folder
from assay.settings import Settings

def collection():
    started = time.perf_counter()
    gc.collect()
    return (time.perf_counter() - started) * 1000

build_app(Settings(models=sys.argv[1], decision_log=False)).openapi()
collection()
before = len(gc.get_objects())
served = open_folder(Path(sys.argv[1]))
added = len(gc.get_objects()) - before
frozen = median(collection() for _ in range(9))
gc.unfreeze()
print(json.dumps({
    "objects": added,
    "frozen_ms": frozen,
    "unfrozen_ms": median(collection() for _ in range(9)),
}))
"""


def collector_figures(artifact: Path) -> dict[str, Any]:
    """Return how many objects a loaded version adds, and the milliseconds of one full collection.

    ``frozen_ms`` is with what was there at the start frozen, as in a service, ``unfrozen_ms`` without.
    """
    command = [sys.executable, "-c", PROGRAM, str(artifact)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures

"""The loop closed: what people said of decisions becomes rows of the next version, through the same gate."""

from assay.config import Task
from assay.datasets import Rows
from assay.exceptions import DataError
from assay.pipeline import Outcome, run_pipeline
from assay.progress import Progress
from assay.relabelling import NOTHING, Window, collect
from assay.settings import Settings
from assay.telemetry import Guards


def retrain(
    task: Task, settings: Settings, window: Window, guards: Guards, *, promote: bool, progress: Progress
) -> Outcome:
    """Return a version trained on a task's rows and on what feedback labelled, and the gate's decision.

    Held-out rows stay as they are: no row of feedback is measured on, and none that is like one of them is
    trained on. Raises as ``collect`` and ``run_pipeline`` do, DataError when there is nothing to add.
    """
    sifted = collect(task, settings, window, guards)
    progress.say(f"  {len(sifted.rows):,} rows of feedback")
    for line in sifted.lines():
        progress.say(line)
    if not sifted.rows:
        raise DataError("\n".join([NOTHING.format(task=task.name), *sifted.lines()]))
    more = Rows([row.text for row in sifted.rows], [row.label for row in sifted.rows])
    return run_pipeline(task, settings, progress=progress, promote=promote, more=more)

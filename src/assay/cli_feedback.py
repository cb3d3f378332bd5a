"""The commands about feedback."""

import argparse
import json
from typing import TYPE_CHECKING

from assay.terminal import BLOCKED, OK, say, settings_of, tell

if TYPE_CHECKING:
    from assay.telemetry import Guards


def stats(options: argparse.Namespace) -> int:
    """Tell how good live decisions are, by what people said of them."""
    from assay.relabelling import feedback_stats, window_of
    from assay.taskfiles import task_of

    settings = settings_of()
    task = task_of(options.task, settings, columns={})
    standing = feedback_stats(task, settings, window_of(options.since, options.until))
    if options.json:
        say(json.dumps(standing.to_dict(), ensure_ascii=False))
        return OK
    return tell(standing.lines())


def export(options: argparse.Namespace) -> int:
    """Write labelled rows."""
    from assay.relabelling import export_feedback, window_of
    from assay.taskfiles import task_of

    settings = settings_of()
    task = task_of(options.task, settings, columns={})
    window = window_of(options.since, options.until)
    return tell(export_feedback(task, settings, window, _guards(options), options.output))


def retrain(options: argparse.Namespace) -> int:
    """Train on the task's rows and on labelled ones."""
    from assay.progress import Progress
    from assay.relabelling import window_of
    from assay.retraining import retrain as run
    from assay.taskfiles import task_of

    settings = settings_of()
    outcome = run(
        task_of(options.task, settings, columns={}),
        settings,
        window_of(options.since, options.until),
        _guards(options),
        promote=options.promote,
        progress=Progress(),
    )
    return tell(outcome.lines(), OK if outcome.gate.passed else BLOCKED)


def _guards(options: argparse.Namespace) -> "Guards":
    from assay.telemetry import Guards

    return Guards(
        key_share=options.key_share,
        subject_share=options.subject_share,
        balance=options.balance,
        near=not options.keep_near,
    )

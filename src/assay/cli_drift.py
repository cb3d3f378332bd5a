"""The command about drift."""

import argparse

from assay.terminal import BLOCKED, ERROR, OK, say, settings_of


def drift(options: argparse.Namespace) -> int:
    """Say whether what is decided now is as it was when the version was trained."""
    from assay.drifting import look_back
    from assay.progress import Progress
    from assay.telemetry import look_lines, write_look

    look = look_back(
        options.task,
        settings_of(),
        since=options.since,
        until=options.until,
        version=options.version,
        progress=Progress(),
    )
    for line in look_lines(look):
        say(line)
    if options.output:
        write_look(look, options.output)
        say(f"Plots and all figures are in {options.output}; as one page: {options.output / 'drift.html'}")
    if not options.check:
        return OK
    # What nothing could be compared with has passed no check.
    return BLOCKED if look.alarms else OK if look.compared else ERROR

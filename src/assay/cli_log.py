"""The commands about the decision log."""

import argparse
import sys
from typing import TYPE_CHECKING

from assay.terminal import ERROR, OK, settings_of, tell

if TYPE_CHECKING:
    from assay.telemetry import Notes


def stats(options: argparse.Namespace) -> int:
    """Count decisions."""
    from assay.logbook import Span, show_statistics
    from assay.telemetry import Notes

    notes, span = Notes(), Span.meant(options.since, options.until)
    told = show_statistics(settings_of(), span, task=options.task, as_json=options.json, notes=notes)
    return _noted(tell(told), notes)


def query(options: argparse.Namespace) -> int:
    """Show decisions, the newest first."""
    from assay.logbook import Span, show_records, sought_meant
    from assay.telemetry import Notes

    settings, notes, span = settings_of(), Notes(), Span.meant(options.since, options.until)
    sought = sought_meant(options, settings)
    told = show_records(settings, span, sought, limit=options.limit, as_json=options.json, notes=notes)
    return _noted(tell(told), notes)


def export(options: argparse.Namespace) -> int:
    """Write decisions to a file."""
    from assay.logbook import Span, sought_meant, write_records
    from assay.telemetry import Notes

    settings, notes, span = settings_of(), Notes(), Span.meant(options.since, options.until)
    sought = sought_meant(options, settings)
    return _noted(tell([write_records(settings, span, sought, options.output, notes=notes)]), notes)


def erase(options: argparse.Namespace) -> int:
    """Remove all decisions about one subject's texts."""
    from assay.logkeeping import erase_subject

    told, whole = erase_subject(options.subject, settings_of(), reason=options.reason)
    return tell(told, OK if whole else ERROR)


def compact(_: argparse.Namespace) -> int:
    """Put closed files together."""
    from assay.logkeeping import compact_days
    from assay.telemetry import Notes

    notes = Notes()
    return _noted(tell(compact_days(settings_of(), notes)), notes)


def why(options: argparse.Namespace) -> int:
    """Tell everything about one decision."""
    from assay.why import explain_decision

    return tell(explain_decision(options.id, settings_of(), as_json=options.json))


def _noted(code: int, notes: "Notes") -> int:
    """Tell beside the output what could not be read; return the exit code, ERROR where it lacks something."""
    sys.stdout.flush()
    for line in notes.lines():
        sys.stderr.write(f"{line}\n")
    return ERROR if notes.faults else code

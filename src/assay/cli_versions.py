"""The commands about registered versions: what they are, which one sits where, and who put it there."""

import argparse

from assay.terminal import BLOCKED, ERROR, OK, say, settings_of, task_meant, tell


def report(options: argparse.Namespace) -> int:
    """Show what was measured of a version."""
    from assay.reporting import open_report

    return tell(open_report(options.reference, settings_of(), output=options.output, show=options.open))


def promote(options: argparse.Namespace) -> int:
    """Give a version a seat."""
    from assay.lifecycle import promote_version
    from assay.progress import Progress

    promotion = promote_version(
        options.task,
        options.version,
        settings_of(),
        to=options.to,
        override=options.override,
        progress=Progress(),
    )
    return tell(promotion.lines(), OK if promotion.promoted else BLOCKED)


def rollback(options: argparse.Namespace) -> int:
    """Bring a version back to production."""
    from assay.lifecycle import roll_back
    from assay.progress import Progress

    say(roll_back(options.task, options.version, settings_of(), reason=options.reason, progress=Progress()))
    return OK


def versions(options: argparse.Namespace) -> int:
    """List the versions of a task."""
    from assay.lifecycle import list_versions
    from assay.progress import Progress

    return tell(list_versions(options.task, settings_of(), progress=Progress()))


def history(options: argparse.Namespace) -> int:
    """Show the changes of a task's seats."""
    from assay.lifecycle import show_history
    from assay.progress import Progress

    settings, progress = settings_of(), Progress()
    return tell(show_history(options.task, settings, at=options.at, seat=options.seat, progress=progress))


def diff(options: argparse.Namespace) -> int:
    """Show what differs between two versions."""
    from assay.diffing import diff_versions
    from assay.progress import Progress

    settings = settings_of()
    task, first, second = task_meant(options, settings), options.first, options.second
    return tell(diff_versions(task, first, second, settings, progress=Progress()))


def audit_verify(_: argparse.Namespace) -> int:
    """Check the audit log."""
    from assay.lifecycle import verify_audit

    whole, lines = verify_audit(settings_of())
    return tell(lines, OK if whole else ERROR)


def audit_show(_: argparse.Namespace) -> int:
    """Show the audit log."""
    from assay.lifecycle import show_audit

    return tell(show_audit(settings_of()))

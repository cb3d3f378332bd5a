"""The commands that keep all somewhere else and bring it back."""

import argparse

from assay.terminal import ERROR, OK, settings_of, tell


def backup(options: argparse.Namespace) -> int:
    """Make a backup; ERROR where something was damaged before already."""
    from assay.backup import Wanted, check_backup, make_backup
    from assay.progress import Progress

    wanted = Wanted(
        without=tuple(options.without), served=options.artifacts, key=options.with_key, keep=options.keep
    )
    made = make_backup(settings_of(), options.to, wanted, Progress())
    tell(made.lines())
    if options.verify:
        tell(f"verified: {line}" for line in check_backup(options.to, made.manifest.name))
    return ERROR if made.manifest.faults else OK


def restore(options: argparse.Namespace) -> int:
    """Bring a backup back, or look whether that could be done."""
    from assay.backup import check_backup, restore_backup
    from assay.progress import Progress

    if options.check:
        return tell(check_backup(options.origin, options.backup))
    settings = settings_of(home=options.home)
    restored = restore_backup(
        settings,
        options.origin,
        backup=options.backup,
        served=options.artifacts,
        replace=options.replace,
        progress=Progress(),
    )
    return tell(restored.lines())

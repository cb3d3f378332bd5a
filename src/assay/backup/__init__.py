"""All that cannot be made again, kept somewhere else and brought back: backup and restore."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.backup.checking import check_backup
    from assay.backup.making import Made, Wanted, make_backup
    from assay.backup.manifest import Manifest, read_backup
    from assay.backup.restoring import Restored, restore_backup
    from assay.backup.store import open_store
else:
    __getattr__ = lazily(
        __name__,
        {
            "checking": ("check_backup",),
            "making": ("Made", "Wanted", "make_backup"),
            "manifest": ("Manifest", "read_backup"),
            "restoring": ("Restored", "restore_backup"),
            "store": ("open_store",),
        },
    )

__all__ = [
    "Made",
    "Manifest",
    "Restored",
    "Wanted",
    "check_backup",
    "make_backup",
    "open_store",
    "read_backup",
    "restore_backup",
]

"""Old backups deleted, and the objects that no other one needs."""

from assay.backup.manifest import OBJECTS, backups_in, manifest_name, object_name, read_manifest
from assay.backup.store import Store


def prune(store: Store, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` backups and return the names of those deleted.

    The caller holds the lock of the place: nobody else adds objects meanwhile. A manifest that is kept and
    cannot be read stops it before anything is deleted. Raises BackupError.
    """
    names = backups_in(store)
    old, kept = names[:-keep], names[-keep:]
    needed = {object_name(each.sha256) for name in kept for each in read_manifest(store, name).files}
    # Manifests first: a backup that has lost an object must not be taken for a whole one.
    store.remove([manifest_name(name) for name in old])
    store.remove([name for name in store.sizes(OBJECTS) if name not in needed])
    return old

"""Where the files of a restore are drafted, and the renames that put all of them in their places."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assay.backup.artifacts import topmost, within
from assay.backup.folder import sync_folder
from assay.backup.manifest import NAME_FORMAT
from assay.exceptions import BackupError

DRAFT, PLAN, ASIDE = ".assay-restore", ".assay-restore.json", "before-restore-"
"""A draft's folder; the file that says which renames are left; where what was there before goes."""
NOTHING = ("lost+found",)
"""What a disk that holds nothing has all the same."""


@dataclass
class Placing:
    """Drafts beside their places, on the same disk, and what has to be renamed.

    Parameters
    ----------
    home
        The home folder, which has to hold nothing.
    folders
        Folders that files are put into, those in others among them.
    last
        The file that comes to its place after all others.
    """

    home: Path
    folders: Iterable[Path]
    last: Path
    roots: list[Path] = field(init=False)

    def __post_init__(self) -> None:
        # A folder may be a disk of its own, which cannot be renamed: what is in it is.
        self.roots = topmost([self.home, *self.folders])

    def draft(self, place: Path) -> Path:
        """Return where a file, or a folder, is drafted until all are there."""
        root = next(each for each in self.roots if within(place, each))
        return root / DRAFT / place.relative_to(root)

    def clear(self) -> None:
        """Delete drafts of a restore that was cut off before all were there. Raises OSError."""
        for root in self.roots:
            shutil.rmtree(root / DRAFT, ignore_errors=True)
            root.mkdir(parents=True, exist_ok=True)

    def in_the_way(self) -> list[Path]:
        """Return what is in the home folder, and under the names of drafts in the others."""
        found = [path for path in _entries(self.home) if path.name not in NOTHING]
        for root in self.roots:
            if root != self.home:
                names = [path.name for path in _entries(root / DRAFT)]
                # A journal beside a database would be taken for the new one's.
                found += [
                    path
                    for path in _entries(root)
                    if any(path.name == name or path.name.startswith(f"{name}-") for name in names)
                ]
        return found

    def commit(self, backup: str) -> Path | None:
        """Move aside what is in the way, then every draft to its place; return where the former went.

        A process that dies on the way leaves a plan, which the next restore finishes first. Raises OSError.
        """
        aside = self._aside()
        old = [(path, path.parent / aside / path.name) for path in self.in_the_way()]
        drafts = [path for root in self.roots for path in _entries(root / DRAFT)]
        new = [(path, path.parent.parent / path.name) for path in drafts]
        new.sort(key=lambda move: move[1] == self.last or move[1] in self.last.parents)
        plan = {
            "backup": backup,
            "aside": [[str(each) for each in move] for move in old],
            "moves": [[str(each) for each in move] for move in new],
            "drafts": [str(root / DRAFT) for root in self.roots],
        }
        draft = self.home / DRAFT / PLAN
        draft.parent.mkdir(exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            json.dump(plan, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.home / PLAN)
        sync_folder(self.home)
        finish(self.home)
        return old[0][1].parent if old else None

    def _aside(self) -> str:
        """Return a name that is new in each root: what is in such a folder must not count as moved."""
        moment = datetime.now(UTC)
        while any(
            (root / (name := f"{ASIDE}{moment.strftime(NAME_FORMAT)}")).exists() for root in self.roots
        ):
            moment += timedelta(seconds=1)
        return name


def finish(home: Path) -> str:
    """Do the renames that a restore has left undone; return the backup's name, empty where there was none.

    Raises BackupError when the plan of them is damaged, OSError.
    """
    path = home / PLAN
    try:
        plan = json.loads(path.read_bytes())
        moves = [(Path(old), Path(new), False) for old, new in plan["aside"]]
        moves += [(Path(old), Path(new), True) for old, new in plan["moves"]]
        drafts, backup = [Path(each) for each in plan["drafts"]], str(plan["backup"])
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(
            f"{path}, in which a restore that was cut off left what is to be done, is damaged: {error}. "
            f"Its files are in {DRAFT}; move the file away and restore again."
        ) from error
    for old, new, fresh in moves:
        # What stands in the old place once the new one is taken is the restored one already.
        if os.path.lexists(old) and (fresh or not os.path.lexists(new)):
            new.parent.mkdir(exist_ok=True)
            old.rename(new)
            sync_folder(new.parent)
    for draft in drafts:
        shutil.rmtree(draft, ignore_errors=True)
    path.unlink()
    return backup


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, but for what restores leave there; nothing where there is none."""
    if folder.is_dir():
        own = (DRAFT, PLAN)
        yield from (
            path
            for path in sorted(folder.iterdir())
            if path.name not in own and not path.name.startswith(ASIDE)
        )

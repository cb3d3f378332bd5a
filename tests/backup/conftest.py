"""A home folder to back up, whole and with nothing outside it; backups and restores in one call."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.access import KeyBook
from assay.audit import AuditLog
from assay.backup import Made, Manifest, Restored, Wanted, make_backup, restore_backup
from assay.database import Database
from assay.loading import load
from assay.progress import Progress
from assay.registry import move_sources
from assay.settings import Settings
from tests.live import START, records_of, write_log
from tests.moving import TEXTS, Mover

QUIET = Progress(quiet=True)


def keep(settings: Settings, to: Path | str, **wanted: Any) -> Made:
    """Return a backup that was just made."""
    return make_backup(settings, str(to), Wanted(**wanted), QUIET)


def bring_back(settings: Settings, origin: Path | str, **options: Any) -> Restored:
    """Return what was brought back."""
    return restore_backup(settings, str(origin), progress=QUIET, **options)


def decided(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what the version of spam in production decides, without the ids."""
    decisions = load("spam", settings=settings).decide(TEXTS)
    return [(each.version, each.label, each.score, each.confidence) for each in decisions]


@pytest.fixture
def settings(stocked: Path, tmp_path: Path, spam_cascade: Any) -> Settings:
    """A home with three versions, two of them in production, a key, and decisions in its log."""
    home = tmp_path / "old" / "home"
    shutil.copytree(stocked, home)
    settings = Settings(home=home)
    move_sources(settings.store, {str(stocked): str(home)})
    database = Database(settings.people)
    KeyBook(database, AuditLog(database)).create("shop", "predict", who="ann", rate=None, lasts=None)
    write_log(settings.decisions, records_of(spam_cascade, TEXTS, start=START))
    (settings.decisions / "decision.key").write_text("0" * 64 + "\n")
    return settings


@pytest.fixture
def mover(settings: Settings) -> Mover:
    """The registry of that home."""
    return Mover(settings)


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """Another machine: settings whose home does not exist."""
    return Settings(home=tmp_path / "new" / "place" / "home")


@pytest.fixture
def object_of(to: Path) -> Callable[[Manifest, str], Path]:
    """Return the object that holds a file of a backup, by the end of the file's path."""

    def find(manifest: Manifest, ending: str) -> Path:
        kept = next(each for each in manifest.files if each.path.endswith(ending))
        return to / "objects" / kept.sha256[:2] / kept.sha256

    return find

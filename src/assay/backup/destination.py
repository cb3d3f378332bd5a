"""Where each file of a backup belongs on this machine, by its settings."""

from pathlib import Path

from assay.backup.manifest import ELSEWHERE, HOME, LOG, PEOPLE, REGISTRY, SERVED, KeptDatabase, Manifest
from assay.backup.placing import Placing
from assay.backup.taking import sqlite_path, store_uri
from assay.exceptions import BackupError
from assay.registry import move_sources, parse_store
from assay.settings import Settings


class Destination:
    """The places of a backup's files: those that the settings name, which may differ from where they were.

    Raises BackupError when a database is to come back as one of another kind, or a folder is not named.
    """

    def __init__(self, manifest: Manifest, settings: Settings, served: Path | None) -> None:
        self.home = settings.home.absolute()
        self.manifest, self._settings = manifest, settings
        self._served = served.absolute() if served else None
        store, people = parse_store(settings.store), sqlite_path(settings.people)
        self.registry_file = store.path.absolute() if store.kind == "sqlite" else None
        self.people_file = people.absolute() if people else None
        _check_kind("registry", manifest.registry, store.kind, "ASSAY_TRACKING_URI")
        kind = "sqlite" if people else "postgresql"
        _check_kind("people's database", manifest.people, kind, "ASSAY_DATABASE")
        if self._served is None and any(each.path.startswith(SERVED) for each in manifest.files):
            raise BackupError(
                f"The backup {manifest.name} holds the artifacts of an MLflow server. Name the folder that "
                "the server here is to have as its --artifacts-destination: --artifacts FOLDER"
            )

    @property
    def folders(self) -> list[Path]:
        """The folders that files go into."""
        files = [each.path for each in self.manifest.files if not self.is_dump(each.path)]
        return sorted({self.place(path).parent for path in files})

    def place(self, path: str) -> Path:
        """Return where a file, or a folder, of the backup belongs."""
        if path == REGISTRY and self.registry_file:
            return self.registry_file
        if path == PEOPLE and self.people_file:
            return self.people_file
        if path.startswith(LOG):
            return self._settings.decisions.absolute() / path.removeprefix(LOG)
        if path.startswith(SERVED) and self._served:
            return self._served / path.removeprefix(SERVED)
        if path.startswith(ELSEWHERE):
            number, _, rest = path.removeprefix(ELSEWHERE).partition("/")
            return self.home / "artifacts" / f"elsewhere-{number}" / rest
        return self.home / path.removeprefix(HOME)

    def is_dump(self, path: str) -> bool:
        """Return whether a file is for a server to read, not for a folder."""
        kept = {REGISTRY: self.manifest.registry, PEOPLE: self.manifest.people}.get(path)
        return kept is not None and kept.kind == "postgresql"

    def registry_uri(self, placing: Placing | None) -> str | None:
        """Return where the registry is: as a draft where ``placing`` is given; None where it is not kept."""
        if self.manifest.registry is None:
            return None
        if self.registry_file is None or placing is None:
            return self._settings.store
        return store_uri(placing.draft(self.registry_file))

    def people_uri(self, placing: Placing | None) -> str | None:
        """Return where the people's database is, likewise."""
        if self.manifest.people is None:
            return None
        if self.people_file is None or placing is None:
            return self._settings.people
        return f"sqlite:///{placing.draft(self.people_file)}"

    def move_sources(self, placing: Placing) -> None:
        """Let the registry name its files where they will be."""
        uri = self.registry_uri(placing)
        if uri is not None:
            moves = {folder: str(self.place(kept)) for kept, folder in self.manifest.elsewhere.items()}
            move_sources(uri, {self.manifest.home: str(self.home), **moves})


def _check_kind(what: str, kept: KeptDatabase | None, kind: str, setting: str) -> None:
    if kept is not None and kept.kind != kind:
        names = {"sqlite": "an SQLite file", "postgresql": "PostgreSQL", "http": "an MLflow server"}
        raise BackupError(
            f"The backup holds the {what} as {names[kept.kind]} ({kept.shown}), and {setting} names "
            f"{names[kind]} here. Name one of the same kind; a PostgreSQL database has to be empty.",
            kind=kept.kind,
        )

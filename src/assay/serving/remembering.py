"""Which versions answered last: served by a service that starts while its registry is gone."""

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterable
from datetime import datetime

from assay.notation import without_credentials
from assay.registry import Version
from assay.settings import Settings

logger = logging.getLogger(__name__)

FIELDS = ("model", "number", "task", "stage", "run_id", "source", "digest", "manifest", "gate")


class Remembered:
    """The file of the versions that answered last, one file a registry.

    It only matters while the registry is gone or what it names is refused, so a disk that does not keep it
    is no fault of the service.
    """

    def __init__(self, settings: Settings) -> None:
        digest = hashlib.sha256(without_credentials(settings.store).encode()).hexdigest()[:16]
        self.path = settings.cache / f"serving-{digest}.json"
        self._written: list[dict[str, str]] | None = None

    def read(self) -> list[Version]:
        """Return the versions that answered last; none where the file is absent or is not such a file."""
        try:
            entries = json.loads(self.path.read_bytes())
            return [_version(entry) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []

    def write(self, versions: Iterable[Version]) -> None:
        """Keep the versions that answer, by one rename; a disk that refuses is told in the log."""
        entries = [_entry(version) for version in versions]
        if not entries or entries == self._written:
            return
        draft = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}.draft")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(entries, indent=1), encoding="utf-8")
            os.replace(draft, self.path)  # noqa: PTH105
        except OSError as error:
            logger.warning("Which versions answer could not be kept in %s: %s", self.path, error.strerror)
            draft.unlink(missing_ok=True)
        self._written = entries


def _entry(version: Version) -> dict[str, str]:
    return {name: getattr(version, name) for name in FIELDS} | {"created_at": version.created_at.isoformat()}


def _version(entry: dict[str, str]) -> Version:
    fields = {name: str(entry[name]) for name in FIELDS}
    moment = datetime.fromisoformat(entry["created_at"])
    return Version(**fields, created_at=moment, aliases=(), tags={})

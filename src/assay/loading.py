"""A task's name or a folder to the cascade that answers."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from assay.environment import read_settings
from assay.exceptions import VersionNotFound
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.estimators import Cascade
    from assay.registry import Registry


def load(
    reference: str | Path, *, version: str = "production", settings: Settings | None = None
) -> "Cascade":
    """Return the cascade of an artifact folder, or of a task's version in the registry.

    ``version`` is a number or an alias; the settings are those of the environment unless given. Needs
    neither MLflow nor scikit-learn. Raises VersionNotFound, RegistryUnavailable or ArtifactError.
    """
    from assay.estimators import load_artifact

    folder, number = folder_of(reference, version=version, settings=settings)
    return load_artifact(folder).at_version(number)


def folder_of(reference: str | Path, *, version: str, settings: Settings | None = None) -> tuple[Path, str]:
    """Return the artifact folder that ``load`` means, fetched, and its version's number, empty for a folder.

    Raises VersionNotFound or RegistryUnavailable.
    """
    from assay.registry import open_version

    folder = Path(reference)
    if (folder / "manifest.json").is_file():
        return folder, ""
    if isinstance(reference, Path) or ("/" in reference and not reference.endswith(".toml")):
        raise VersionNotFound(f"{str(reference)!r} is not an artifact folder: it has no manifest.json.")
    settings = settings or read_settings()
    name = registered_name(reference, settings)
    found, fetched = open_version(settings.store, name, version, settings.cache)
    return fetched, found.number


def registered_name(task: str, settings: Settings) -> str:
    """Return the registered model's name of a task: that of its task file, else the one its name gives.

    ``task`` is a name, or the path of a task file (``x/spam.toml``).
    """
    from assay.config import find_task, model_name

    return find_task(task, settings.tasks).model if has_file(task, settings) else model_name(task)


def open_registry(settings: Settings) -> "Registry":
    """Return the registry that the settings name, its log in the people's database; nothing is opened yet."""
    from assay.database import Database
    from assay.registry import Registry

    return Registry(settings.store, settings.home, Database(settings.people))


def has_registry(settings: Settings) -> bool:
    """Return whether there is a registry to ask: False where the first training has yet to make its file."""
    path = settings.store.removeprefix("sqlite:///")
    return path == settings.store or Path(unquote(path.partition("?")[0])).exists()


def has_file(task: str, settings: Settings) -> bool:
    """Return whether a task has a file, or is named by one; any other may live in the registry alone."""
    return task.endswith(".toml") or (settings.tasks / f"{task}.toml").is_file()

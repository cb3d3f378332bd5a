"""What is installed, reachable and configured, and what to do about what is not."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.config import read_task, task_files
from assay.doctor_encoders import EXTRAS as OF_ENCODERS
from assay.doctor_encoders import encoders, servable, trainable
from assay.doctor_service import Note, schema, service
from assay.environment import origins
from assay.exceptions import AssayError, ConfigError, DatabaseError, PromotionRefused, RegistryError
from assay.loading import has_registry
from assay.notation import without_credentials
from assay.settings import Settings, shown

if TYPE_CHECKING:
    from assay.registry import Registry, Version

LOW_DISK_BYTES = 2 * 1024**3

EXTRAS = {
    "train": ("sklearn", "scipy", "mlflow", "matplotlib", "pyarrow", "tomli_w"),
    "hub": ("huggingface_hub",),
    "postgres": ("psycopg",),
    "redis": ("redis",),
    **OF_ENCODERS,
}
"""The packages that each extra brings, by import name."""


def examine(settings: Settings, say: Callable[[str], None]) -> bool:
    """Say what was found, a line each; return whether nothing is broken."""
    notes = [
        *python(),
        *extras(),
        *kernel(),
        *encoders(),
        *configured(settings),
        *disk(settings),
        *service(settings),
        *tasks(settings),
        *registry(settings),
        *seats(settings),
    ]
    for note in notes:
        say(f"{note.level:4}  {note.what}")
    return all(note.level != "BAD" for note in notes)


def python() -> Iterator[Note]:
    """Find out about the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Note("ok", f"Python {version} at {sys.executable}")


def extras() -> Iterator[Note]:
    """Find out which extras are installed."""
    for extra, packages in EXTRAS.items():
        absent = [package for package in packages if find_spec(package) is None]
        if absent:
            yield Note("note", f"extra {extra}: without {', '.join(absent)}; pip install 'assay[{extra}]'")
        else:
            yield Note("ok", f"extra {extra}: installed")


def kernel() -> Iterator[Note]:
    """Find out which work the compiled kernel does, and which Python."""
    from assay.estimators import uncompiled

    try:
        reasons = uncompiled()
    except ConfigError as error:
        yield Note("BAD", str(error))
        return
    for part, why in reasons.items():
        yield Note("note", f"kernel: {part} in Python, slower with the same answers: {why}")
    if not reasons:
        yield Note("ok", "kernel: compiled")


def configured(settings: Settings) -> Iterator[Note]:
    """Show every setting, and where those that are not the default came from; passwords are not shown."""
    found = origins()
    for name, value in shown(settings).items():
        variable, field = f"ASSAY_{name.upper()}", Settings.model_fields[name]
        where = f" (from {found[name]})" if name in found and getattr(settings, name) != field.default else ""
        yield Note("ok", f"{variable} = {value or '(not set)'}{where}  # {field.description}")


def disk(settings: Settings) -> Iterator[Note]:
    """Find out whether the home folder can be written and can grow."""
    folder = next(f for f in (settings.home.absolute(), *settings.home.absolute().parents) if f.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield Note(
            "BAD", f"{settings.home} cannot be written in {folder}; set ASSAY_HOME to a folder of yours"
        )
    else:
        yield room(settings.home, shutil.disk_usage(folder).free)


def room(home: Path, free: int) -> Note:
    """Return what ``free`` bytes of disk mean for the home folder."""
    what = f"{free / 1e9:.1f} GB free for {home}"
    return Note("note", f"{what}; make room") if free < LOW_DISK_BYTES else Note("ok", what)


def tasks(settings: Settings) -> Iterator[Note]:
    """Find out which task files can be used, and their rules."""
    from assay.estimators import rules_of

    files = task_files(settings.tasks)
    if not files:
        yield Note("note", f"no task files in {str(settings.tasks)!r}; set ASSAY_TASKS, or train with --data")
    for path in files:
        try:
            task = read_task(path)
            rules = rules_of(task)
        except AssayError as error:
            yield Note("BAD", error.message)
        else:
            count = f"; active rules: {len(rules.active)}" if task.rules else ""
            yield Note("ok", f"task {task.name}: {', '.join(task.labels)}; data {task.data.source}{count}")
            yield from trainable(task)
            for rule in rules.expired:
                yield Note(
                    "note", f"task {task.name}: the rule {rule.id!r} is off, it expired on {rule.expires}"
                )


def registry(settings: Settings) -> Iterator[Note]:
    """Find out whether the registry answers, and which versions are in production."""
    from assay.registry import find_production

    where = without_credentials(settings.store)
    try:
        found = find_production(settings.store) if has_registry(settings) else []
    except AssayError as error:
        yield Note("BAD", f"registry {where}: {error.message}")
        return
    if not found:
        yield Note(
            "note", f"registry {where}: no version in production; train one: assay train TASK --promote"
        )
    for each in found:
        yield from production(each, settings)


def production(version: "Version", settings: Settings) -> Iterator[Note]:
    """Find out whether the artifact of a version in production is there, whole, and can answer here."""
    from assay.estimators import read_manifest
    from assay.registry import fetch_version

    named = f"{version.model} version {version.number}"
    try:
        folder = fetch_version(settings.store, version, settings.home / "cache")
        read_manifest(folder)
    except AssayError as error:
        told = f"{error.message} Restore its files, or go back with: assay rollback {version.task}"
        yield Note("BAD", f"production: {version.task} cannot be answered by {named}: {told}")
        return
    unable = list(servable(folder, f"{version.task}'s {named}"))
    yield from unable or [Note("ok", f"production: {version.task} is answered by {named}")]


def seats(settings: Settings) -> Iterator[Note]:
    """Put right what is out of step with the seats, and check the audit log."""
    from assay.loading import open_registry
    from assay.registry import find_models, who_of

    if not has_registry(settings):
        return
    where = without_credentials(settings.people)
    try:
        yield schema(settings)
        book = open_registry(settings)
        for model in find_models(settings.store):
            yield from settled(book, model, who_of(settings))
        found = book.verify()
    except (ConfigError, DatabaseError) as error:
        yield Note("BAD", f"people's database {where}: {error.message}")
    except RegistryError:
        # What is wrong with the registry was said above.
        return
    else:
        level: Literal["ok", "BAD"] = "BAD" if found.faults else "ok"
        yield from (Note(level, f"people's database {where}: {line}") for line in found.lines())


def settled(book: "Registry", model: str, who: str) -> Iterator[Note]:
    """Put a model in step and say what was not; somebody else's promotion under way is said."""
    try:
        yield from (Note("note", line) for line in book.settle(model, who=who))
    except PromotionRefused as refused:
        yield Note("note", refused.message)
    except RegistryError as error:
        yield Note("BAD", f"registry: {model} is out of step with its seats: {error.message}")

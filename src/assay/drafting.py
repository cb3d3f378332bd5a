"""``assay task new``: look at labelled rows, and write a task file to start from."""

import tomllib
from collections import Counter
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from assay.config import DataConfig, Name, parse_task
from assay.draft import Draft
from assay.exceptions import ConfigError
from assay.progress import Progress
from assay.scoring import replacing
from assay.settings import Settings
from assay.taskfiles import positive_among, rows_as_they_are


def draft_task(
    name: str,
    data: DataConfig,
    settings: Settings,
    *,
    positive: str | None,
    output: Path | None,
    progress: Progress,
) -> tuple[Path, Draft]:
    """Write the task file of a name after a look at the rows of ``data``; return its path and what was seen.

    It is written to ``output``, else into the folder of tasks; whole or not at all. Raises ConfigError for a
    name that no task can have, a positive label that the rows lack or a file that exists; DataError for rows
    that cannot be used or have one label only.
    """
    path = place_of(name, settings, output)
    data, dataset = rows_as_they_are(name, data, settings, progress=progress)
    counts = Counter(dataset.training.labels + dataset.test.labels)
    chosen, why = (positive, "as you said") if positive else positive_among(counts, name, settings)
    draft = Draft(name=name, data=data, dataset=dataset, positive=chosen, why=why)
    text = draft.to_toml()
    parse_task(tomllib.loads(text), source=f"the task {name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(text.encode())
    return path, draft


def place_of(name: str, settings: Settings, output: Path | None) -> Path:
    """Return where a new task's file goes. Raises ConfigError when the name or the place cannot be used."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise ConfigError(
            f"{name!r} is no name for a task: it takes small letters, digits, - and _, a letter first, "
            "63 at most. Name it like 'my-task'.",
            task=name,
        ) from error
    path = output or settings.tasks / f"{name}.toml"
    if path.suffix != ".toml" or path.name.endswith(".rules.toml"):
        raise ConfigError(
            f"{str(path)!r} would not be found as a task file: its name must end in .toml, and not in "
            ".rules.toml.",
            path=path,
        )
    if path.exists() or path.is_symlink():
        raise ConfigError(
            f"{str(path)!r} exists, and a task file is never written over. Choose another name, move it "
            "away, or have the draft written elsewhere: --output FILE.toml",
            path=path,
        )
    return path

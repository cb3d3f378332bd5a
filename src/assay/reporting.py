"""``assay report``: what is known of a version, as the page, the card and the plots made for people."""

import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from assay.estimators import read_manifest
from assay.evaluation import Report, write_report
from assay.exceptions import ConfigError, DataError, VersionNotFound
from assay.handover import version_named
from assay.loading import registered_name
from assay.registry import Version, fetch_version, find_models, find_version, read_gate
from assay.settings import Settings

REPORT, PAGE = "report.json", "report.html"
WORDS = ("latest", "production", "staging", "previous")
"""What means a version and no task, beside a number."""
Browse = Callable[[str], bool]


def open_report(
    reference: Sequence[str],
    settings: Settings,
    *,
    output: Path | None = None,
    show: bool = False,
    browse: Browse = webbrowser.open,
) -> Iterator[str]:
    """Yield what a version's report says, written as a folder with its page, for people.

    Nothing is measured anew: the report is the one that the version was registered with, the gate's decision
    the latest about it.

    Parameters
    ----------
    reference : a task and a version, or the file of ``assay train --output`` instead of that; or one of them,
        which means the newest version of a task, or a version of the only task that is registered
    settings : say where the registry is, and the home folder
    output : where the folder is written; in the home folder when left out
    show : open the page in a browser; none to open is said and no error
    browse : opens an address and returns whether it did

    Raises ConfigError when several tasks could be meant, VersionNotFound, DataError for a version that was
    registered without a report, ArtifactError for a damaged one, MissingExtra.
    """
    version = find_reported(reference, settings)
    report = stored_report(version, settings)
    gate = gate_lines(version, settings)
    folder = output or settings.home / "reports" / f"{version.model}-{version.number}"
    write_report(report, folder, gate=gate)
    yield f"{version.model} version {version.number}"
    yield from report.lines()
    yield from gate
    page = (folder / PAGE).absolute()
    yield f"Model card, plots and figures are in {folder}; as one page: {page}"
    if show and not browse(page.as_uri()):
        yield "There is no browser to open it with here; copy the page to where there is one."


def find_reported(reference: Sequence[str], settings: Settings) -> Version:
    """Return the version that one or two words mean.

    Raises ConfigError for other numbers of words or when several tasks could be meant, VersionNotFound.
    """
    match [word.strip() for word in reference]:
        case [word] if word.isdecimal() or word.lower() in WORDS:
            return find_version(settings.store, the_only_model(settings), word)
        case [task]:
            return find_version(settings.store, registered_name(task, settings), "latest")
        case [task, version]:
            model = registered_name(task, settings)
            return find_version(settings.store, model, version_named(version, model, settings))
    raise ConfigError(
        f"A report is of a task, a version, or both; got {list(reference)!r}. As in: assay report spam 3"
    )


def the_only_model(settings: Settings) -> str:
    """Return the only registered model; raises ConfigError listing the tasks of several."""
    models = find_models(settings.store)
    if not models:
        raise VersionNotFound("No version is registered yet. Train one: assay train TASK")
    if len(models) > 1:
        tasks = sorted(models.values())
        raise ConfigError(
            f"Several tasks are registered: {', '.join(tasks)}. Name one before the version, as in: "
            f"assay report {tasks[0]} latest",
            tasks=tasks,
        )
    return next(iter(models))


def stored_report(version: Version, settings: Settings) -> Report:
    """Return the report that a version was registered with, under its number.

    Raises DataError when it has none, ArtifactError when it is damaged.
    """
    folder = fetch_version(settings.store, version, settings.cache)
    if REPORT not in read_manifest(folder).files:
        raise DataError(
            f"{version.model} version {version.number} was registered without being evaluated, so it has no "
            f"report. Measure it: assay evaluate {version.task} {version.number} --data FILE --output FOLDER"
        )
    path = folder / REPORT
    report = Report.from_json(path.read_bytes(), source=str(path))
    return report.model_copy(update={"version": version.number})


def gate_lines(version: Version, settings: Settings) -> list[str]:
    """Return the latest decision about a version, for people; nothing where the gate was never asked."""
    if version.gate == "none":
        return []
    if decision := read_gate(settings.store, version):
        return decision.lines()
    reasons = version.tags.get("assay.gate.reasons", "").splitlines()
    return [f"Gate {version.gate}", *(f"  FAIL  {reason}" for reason in reasons)]

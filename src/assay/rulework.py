"""``assay rules check``: what each rule of a task is worth on labelled rows."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from assay.config import Task
from assay.datasets import Dataset, Rows
from assay.estimators import (
    choose_operating_point,
    load_artifact,
    read_held_out,
    rules_of,
    train_cascade,
)
from assay.evaluation import ModelAlone
from assay.exceptions import DataError, VersionNotFound
from assay.judging import read_rows
from assay.loading import has_registry
from assay.progress import Progress
from assay.registry import open_version
from assay.settings import Settings
from assay.taskfiles import refuse_without_rules

if TYPE_CHECKING:
    from assay.estimators import Rules

Side = Literal["train", "test"]


class Stored(NamedTuple):
    """A registered version: what it is called, and its artifact folder."""

    name: str
    folder: Path


class Scored(NamedTuple):
    """Labelled rows, what the model alone makes of them, and where that is from."""

    rows: Rows
    alone: ModelAlone
    told: str


def check_rules(
    task: Task, settings: Settings, *, side: Side, version: str | None, progress: Progress
) -> list[str]:
    """Return the account of a task's rules, as its file has them now, on its labelled rows, for people.

    On the side ``train`` the rules meet a model's out-of-fold decisions: those stored with the version, else
    those of a model that is fitted for it. On ``test`` they meet the version's decisions on the rows that are
    kept apart. ``version`` is a number or an alias; None takes production, else the newest, else none.
    Raises ConfigError, RuleError, DataError, VersionNotFound.
    """
    refuse_without_rules(task)
    rules, stored = rules_of(task), find_stored(task, version, settings)
    if side == "test" and stored is None:
        raise VersionNotFound(
            f"The rows kept apart are judged by a version, and {task.model!r} has none. Train one: "
            f"assay train {task.name}; or measure on the rows to train on: --side train",
            model=task.model,
        )
    dataset = read_rows(task, settings, progress=progress)
    if stored and side == "test":
        scored = score_test_rows(stored, dataset)
    else:
        known = read_scores(stored, dataset.training) if stored else None
        if stored and not known:
            progress.say(f"  {stored.name} has no held-out scores of these rows; a model is fitted for them")
        scored = known or fit_for_scores(task, dataset, progress)
    book = scored.alone.account(rules, scored.rows.labels)
    return [scored.told, *book.lines(), *not_weighed(rules, scored.alone)]


def find_stored(task: Task, reference: str | None, settings: Settings) -> Stored | None:
    """Return the version of a task that a reference means; without one production, the newest, or None."""
    if reference is None and not has_registry(settings):
        return None
    for wanted in (reference,) if reference else ("production", "latest"):
        try:
            found, folder = open_version(settings.store, task.model, wanted, settings.cache)
        except VersionNotFound:
            if reference:
                raise
        else:
            return Stored(f"{found.model} version {found.number}", folder)
    return None


def score_test_rows(stored: Stored, dataset: Dataset) -> Scored:
    """Return the test rows with the scores of a version's model. Raises DataError where it has seen some."""
    cascade, texts = load_artifact(stored.folder), dataset.test.texts
    if held_out := read_held_out(stored.folder):
        held_out.check_unseen(texts, stored.name)
    told = f"{len(texts):,} rows kept apart; the model alone is that of {stored.name}."
    return Scored(dataset.test, ModelAlone.on(cascade, texts), told)


def read_scores(stored: Stored, rows: Rows) -> Scored | None:
    """Return the training rows with the out-of-fold scores stored with a version.

    Rows that were added since have none and are left out; None when no row has one.
    """
    held_out = read_held_out(stored.folder)
    places = held_out.places(rows.texts) if held_out else np.full(len(rows), -1)
    known = np.flatnonzero(places >= 0)
    if held_out is None or not len(known):
        return None
    kept = Rows([rows.texts[at] for at in known], [rows.labels[at] for at in known])
    told = f"{len(kept):,} rows to train on; the model alone is the out-of-fold decisions of {stored.name}."
    if len(kept) < len(rows):
        told += f" {len(rows) - len(kept):,} rows that it has not seen are left out."
    alone = ModelAlone(load_artifact(stored.folder), kept.texts, held_out.logits[places[known]])
    return Scored(kept, alone, told)


def fit_for_scores(task: Task, dataset: Dataset, progress: Progress) -> Scored:
    """Return the training rows with the out-of-fold scores of a model that is fitted now and not kept."""
    fixed = task.calibration == "none" and task.threshold.parsed.kind == "fixed"
    # Training leaves out the folds where nothing is chosen by their scores.
    wanted = task.model_copy(update={"calibration": "auto"}) if fixed else task
    cascade = train_cascade(wanted, dataset.train, dataset.validation, progress=progress)
    held_out = cascade.selection.held_out if cascade.selection else None
    if held_out is None:
        raise DataError(
            f"The rows of {task.data.source!r} are too few to be judged by models that have not seen them: "
            "every label needs some in each part. Bring more, or measure with --side test."
        )
    if fixed:
        point, _ = choose_operating_point(task.threshold, task.labels, task.positive, None)
        cascade = replace(cascade, operating_point=point)
    rows = dataset.training
    told = f"{len(rows):,} rows to train on; the model alone is the out-of-fold decisions of a fit made now."
    return Scored(rows, ModelAlone(cascade, rows.texts, held_out.logits), told)


def not_weighed(rules: "Rules", alone: ModelAlone) -> list[str]:
    """Return which evidence the model does not know yet, for people."""
    known = alone.knows(rules)
    if strange := [rule.id for rule in rules.evidence if rule.id not in known]:
        return [f"New or changed evidence, whose weight the next training finds: {', '.join(strange)}."]
    return []

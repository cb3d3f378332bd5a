"""What the rules add to the model on text messages: ``make bench``, or ``python -m benchmarks.cascade``.

The rules were written from one half of the SMS Spam Collection (``written_from``). A test row is one
that a salt puts on the test side and that lies in the other half; everything that the salt does not put
on the test side is trained on. Rows of five salts are counted together.
"""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.config import Task, ThresholdConfig
from assay.datasets import Dataset, Rows, side_of
from assay.estimators import Cascade, retune, train_cascade
from assay.progress import Progress
from benchmarks.comparison import Flags, difference, f1_with_interval
from benchmarks.intervals import share
from benchmarks.sets import SALTS, load, run, task_named

SOURCE = "sms_spam.parquet"
NO_FALSE_ALARM = ThresholdConfig(goal="precision >= 1")
"""The lowest threshold above which no ham scores out of fold, wherever that catches the most spam."""
WAYS = ("model", "cascade", "model_without_false_alarm", "cascade_without_false_alarm")


class Split(NamedTuple):
    """The test rows of one salt: whether each is spam, and whether each way says so."""

    texts: list[str]
    truth: Flags
    given: dict[str, Flags]
    thresholds: dict[str, float | None]


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return what rules, model and cascade catch and block, and how far the cascade leads."""
    task = task_named("spam")
    splits = [split(task, folder / SOURCE, salt, progress) for salt in SALTS]
    texts, truth, given = pooled(splits)
    return {
        "salts": list(SALTS),
        "goal": task.threshold.goal,
        "thresholds": {way: [one.thresholds[way] for one in splits] for way in WAYS},
        "written_from": read_messages(load(task, folder / SOURCE, progress)),
        "rows": {"tested": len(texts), "messages": len(set(texts))},
        "ways": {way: worth(truth, flags, texts) for way, flags in given.items()},
        "rules": {
            "spam_decided": share(int((given["rules"] & truth).sum()), int(truth.sum())),
            "precision": share(int((given["rules"] & truth).sum()), int(given["rules"].sum())),
        },
        "cascade_less_model": {
            "goal": difference(truth, given["cascade"], given["model"], texts),
            "no_false_alarm": difference(
                truth, given["cascade_without_false_alarm"], given["model_without_false_alarm"], texts
            ),
        },
    }


def written_from(text: str, task: str = "spam") -> bool:
    """Return whether a message is of those that the rules were written from.

    They are the half that the salt ``rules`` gives, less the task's own test rows.
    """
    return side_of(text, "rules", 0.5, 0) == "train" and side_of(text, task, 0.2, 0.1) != "test"


def read_messages(dataset: Dataset) -> dict[str, int]:
    """Return how many messages the rules were written from, and how many of them are spam."""
    rows = dataset.training + dataset.test
    read = [label for text, label in zip(rows.texts, rows.labels, strict=True) if written_from(text)]
    return {"messages": len(read), "spam": read.count("spam")}


def unread(rows: Rows) -> Rows:
    """Return the rows of the half from which no rule was written."""
    kept = [place for place, text in enumerate(rows.texts) if side_of(text, "rules", 0.5, 0) == "test"]
    return Rows([rows.texts[place] for place in kept], [rows.labels[place] for place in kept])


def split(task: Task, source: Path, salt: str, progress: Progress) -> Split:
    """Return what each way says of the test rows of a salt."""
    dataset = load(task, source, progress, salt)
    test = unread(dataset.test)
    alone = task.model_copy(update={"rules": ""})
    first = train_cascade(alone, dataset.train, dataset.validation, progress=progress)
    tasks = (alone, task, careful(alone), careful(task))
    given: dict[str, Flags] = {}
    thresholds: dict[str, float | None] = {}
    for way, chosen in zip(WAYS, tasks, strict=True):
        cascade = tuned(first, chosen, dataset.training.texts)
        given[way] = spam(cascade.predict(test.texts))
        thresholds[way] = cascade.operating_point.threshold
        if way == "cascade":
            given["rules"] = by_rules(cascade, test.texts)
    return Split(test.texts, spam(test.labels), given, thresholds)


def careful(task: Task) -> Task:
    """Return a task whose goal is no false alarm among the training rows."""
    return task.model_copy(update={"threshold": NO_FALSE_ALARM})


def tuned(cascade: Cascade, task: Task, texts: list[str]) -> Cascade:
    """Return the cascade as a task would have trained it; its weights do not depend on rules that decide."""
    if cascade.selection is None or cascade.selection.held_out is None:
        raise ValueError("A cascade that was just trained should hold its held-out scores.")
    return retune(cascade, task, texts, cascade.selection.held_out)


def by_rules(cascade: Cascade, texts: list[str]) -> Flags:
    """Return which texts a rule decides to be spam."""
    judged = cascade.judge(texts)
    return spam(judged.labels) & (judged.rules >= 0)


def spam(labels: list[str]) -> Flags:
    """Return which labels are spam."""
    return np.array([label == "spam" for label in labels])


def pooled(splits: list[Split]) -> tuple[list[str], Flags, dict[str, Flags]]:
    """Return the rows of all splits in one: texts, truth and what each way gave."""
    texts = [text for one in splits for text in one.texts]
    truth = np.concatenate([one.truth for one in splits])
    ways = ("rules", *WAYS)
    return texts, truth, {way: np.concatenate([one.given[way] for one in splits]) for way in ways}


def worth(truth: Flags, given: Flags, texts: list[str]) -> dict[str, Any]:
    """Return spam caught, ham blocked and F1 with their intervals."""
    return {
        "spam_caught": share(int((given & truth).sum()), int(truth.sum())),
        "ham_blocked": share(int((given & ~truth).sum()), int((~truth).sum())),
        "f1": f1_with_interval(truth, given, texts),
    }


if __name__ == "__main__":
    sys.exit(run("cascade", __doc__ or "", SOURCE, measure))

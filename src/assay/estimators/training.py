"""Labelled rows to a cascade."""

from typing import TYPE_CHECKING

from assay.config import Task
from assay.estimators.cascade import Cascade
from assay.estimators.operating_point import choose_operating_point
from assay.estimators.texts import check_texts
from assay.estimators.tfidf import fit_linear
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows


def train_cascade(task: Task, rows: "Rows", *, progress: Progress) -> Cascade:
    """Return the cascade of a task fitted on rows.

    Raises DataError when the rows leave nothing to learn from, TextError for a text that could not be scored.

    >>> from assay.config import parse_task
    >>> from assay.datasets import Rows
    >>> from assay.progress import Progress
    >>> values = {"name": "spam", "labels": ["ham", "spam"], "positive": "spam"}
    >>> values |= {"data": {"source": "mail.csv"}, "estimator": {"min_df": 1}}
    >>> task = parse_task(values, source="an example")
    >>> rows = Rows(["a free prize", "call now", "lunch?", "see you"], ["spam", "spam", "ham", "ham"])
    >>> cascade = train_cascade(task, rows, progress=Progress(quiet=True))
    >>> cascade.predict(["free now", "lunch at two?"])
    ['spam', 'ham']
    """
    check_texts(rows.texts)
    model = fit_linear(task.estimator, task.labels, rows.texts, rows.labels, progress=progress).model
    point = choose_operating_point(task.threshold, binary=task.binary)
    return Cascade(task=task, model=model, operating_point=point)

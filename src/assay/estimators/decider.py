"""From rules that fired and logits to decisions: what is the same for every text is looked up once."""

from collections.abc import Iterator, Sequence

import numpy as np

from assay.config import Task
from assay.estimators.decision import Decision, Form
from assay.estimators.identifiers import new_id, new_ids
from assay.estimators.linear import Link
from assay.estimators.rules import Rule
from assay.estimators.thresholds import OperatingPoint

Logits = Sequence[Sequence[float]]
"""A row a text of as many logits as the model has."""
Answer = tuple[str, float, float | None, bool, dict[str, float] | None, str | None]
"""Label, confidence, score, review, every label's probability where there are more than two, the rule."""


class Decider:
    """Makes the decisions of one cascade, one text's by itself as among others.

    With one logit for two labels all is done in plain numbers, text by text: numpy takes ten times as long
    for one, and a batch in plain numbers takes no longer than its decisions do.
    """

    def __init__(
        self, task: Task, point: OperatingPoint, link: Link, rules: Sequence[Rule], version: str
    ) -> None:
        self._point, self._link, self._rules = point, link, tuple(rules)
        self._labels, self._positive = task.labels, task.labels.index(task.positive)
        self._probability = point.calibration.of_one
        self._fill = Form(task.name, point.threshold, task.model, version).fill
        # Without a band none of the scores, which end at 1, is within it.
        self._cuts = 0.0 if point.threshold is None else point.threshold, *(point.review or (2.0, 2.0))

    def decide(self, ruled: Sequence[int], logits: Logits) -> list[Decision]:
        """Return a decision a text.

        ``ruled`` holds the number of the rule that decides a text, -1 where the model does; ``logits`` are
        those of the texts that are left to it, in their order.
        """
        answers = iter(map(self._of_logit, logits) if self._link == "sigmoid" else self._of_rows(logits))
        fill, of_rule = self._fill, self._of_rule
        return [
            fill(id, *(of_rule(number) if number >= 0 else next(answers)))
            for id, number in zip(new_ids(len(ruled)), ruled, strict=True)
        ]

    def by_rule(self, number: int) -> Decision:
        """Return the decision of the rule of a number about one text."""
        return self._fill(new_id(), *self._of_rule(number))

    def by_model(self, logits: Sequence[float]) -> Decision:
        """Return the decision about one text that its logits lead to."""
        if self._link == "sigmoid":
            return self._fill(new_id(), *self._of_logit(logits))
        return self._fill(new_id(), *next(self._of_rows([logits])))

    def _of_rule(self, number: int) -> Answer:
        rule = self._rules[number]
        return rule.label, self._point.rules[rule.id].low, None, False, None, rule.id

    def _of_logit(self, logits: Sequence[float]) -> Answer:
        """Return the answer between two labels, by the rule that ``OperatingPoint`` has for many rows."""
        second = self._probability(logits[0])
        row = 1.0 - second, second
        positive, (threshold, low, high) = self._positive, self._cuts
        score = row[positive]
        column = positive if score >= threshold else 1 - positive
        return self._labels[column], row[column], score, low <= score <= high, None, None

    def _of_rows(self, logits: Logits) -> Iterator[Answer]:
        """Yield the answers of any labels; numpy computes a row the same whatever rows are beside it."""
        point, labels, positive = self._point, self._labels, self._positive
        rows = point.calibration.probabilities(np.array(logits).reshape(len(logits), len(labels)), self._link)
        columns = point.columns_of(rows, labels, labels[positive])
        review = point.in_review(rows, positive if len(labels) == 2 else columns)
        for row, column, shown in zip(rows.tolist(), columns.tolist(), review.tolist(), strict=True):
            scores = None if len(labels) == 2 else dict(zip(labels, row, strict=True))
            yield labels[column], row[column], row[positive], shown, scores, None

"""From rules that fired and logits to decisions: what is the same for every text is looked up once."""

from collections.abc import Sequence

import numpy as np

from assay.config import Task
from assay.estimators.decision import Decision, Form
from assay.estimators.identifiers import new_id, new_ids
from assay.estimators.linear import Link
from assay.estimators.rules import Rule
from assay.estimators.thresholds import OperatingPoint

Logits = Sequence[Sequence[float]]
"""A row a text of as many logits as the model has."""


class Decider:
    """Makes the decisions of one cascade, one text's by itself as among others.

    With one logit for two labels all is done in plain numbers, text by text: numpy takes ten times as long
    for one, and a batch in plain numbers takes no longer than its decisions do.
    """

    def __init__(
        self, task: Task, point: OperatingPoint, link: Link, rules: Sequence[Rule], version: str
    ) -> None:
        self._point, self._link, self._rules = point, link, tuple(rules)
        self._plain = link == "sigmoid"
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
        ids = new_ids(len(ruled))
        left = iter(self._by_model([id for id, at in zip(ids, ruled, strict=True) if at < 0], logits))
        return [self._by_rule(id, at) if at >= 0 else next(left) for id, at in zip(ids, ruled, strict=True)]

    def by_rule(self, number: int) -> Decision:
        """Return the decision about one text by the rule of a number."""
        return self._by_rule(new_id(), number)

    def by_model(self, logits: Sequence[float]) -> Decision:
        """Return the decision about one text that its logits lead to."""
        return self._by_logit(new_id(), logits) if self._plain else self._by_logits([new_id()], [logits])[0]

    def _by_rule(self, id: str, number: int) -> Decision:
        rule = self._rules[number]
        return self._fill(id, rule.label, self._point.rules[rule.id].low, rule=rule.id)

    def _by_model(self, ids: Sequence[str], logits: Logits) -> list[Decision]:
        return list(map(self._by_logit, ids, logits)) if self._plain else self._by_logits(ids, logits)

    def _by_logit(self, id: str, logits: Sequence[float]) -> Decision:
        """Return the decision between two labels, by the rule that ``OperatingPoint`` has for many rows."""
        second = self._probability(logits[0])
        row = 1.0 - second, second
        positive, (threshold, low, high) = self._positive, self._cuts
        score = row[positive]
        column = positive if score >= threshold else 1 - positive
        return self._fill(id, self._labels[column], row[column], score, low <= score <= high)

    def _by_logits(self, ids: Sequence[str], logits: Logits) -> list[Decision]:
        """Return the decisions between any labels; numpy computes a row the same beside whatever others."""
        point, labels, positive = self._point, self._labels, self._positive
        binary = len(labels) == 2
        rows = point.calibration.probabilities(np.array(logits).reshape(len(ids), len(labels)), self._link)
        columns = point.columns_of(rows, labels, labels[positive])
        review = point.in_review(rows, positive if binary else columns)
        answers = zip(ids, rows.tolist(), columns.tolist(), review.tolist(), strict=True)
        return [
            self._fill(
                id,
                labels[column],
                row[column],
                row[positive],
                shown,
                None if binary else dict(zip(labels, row, strict=True)),
            )
            for id, row, column, shown in answers
        ]

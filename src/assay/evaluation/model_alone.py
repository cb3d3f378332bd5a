"""The model of a cascade beside its rules: what it answers alone, and what each rule adds to that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from assay.config import FoldingConfig
from assay.evaluation.metrics import Floats
from assay.evaluation.rule_account import account_rules
from assay.evaluation.rule_book import RuleBook

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators import Cascade, Rules


@dataclass(frozen=True)
class ModelAlone:
    """What a cascade's model makes of texts when no rule decides.

    ``logits`` have the shape (texts, logits); of rows that the model was fitted on they are out of fold, or
    the model looks too good to be corrected.
    """

    cascade: "Cascade"
    texts: Sequence[str]
    logits: Floats

    @classmethod
    def on(cls, cascade: "Cascade", texts: Sequence[str]) -> Self:
        """Return what the model makes of texts that it was not fitted on."""
        return cls(cascade, texts, cascade.model.logits(texts, evidence_hits(cascade, texts)))

    def labels(self, logits: Floats | None = None) -> list[str]:
        """Return the labels that the model's logits, or those given, lead to when no rule decides."""
        point = self.cascade.operating_point
        given = self.logits if logits is None else logits
        probabilities = point.calibration.probabilities(given, self.cascade.model.link)
        return point.labels_of(probabilities, self.cascade.labels, self.cascade.task.positive)

    def knows(self, rules: "Rules") -> list[str]:
        """Return the ids of the evidence rules that the model was fitted with as they are."""
        fitted = features_of(self.cascade.rules) if self.cascade.model.evidence else {}
        return [rule for rule, feature in features_of(rules).items() if fitted.get(rule) == feature]

    def without_each(self, rules: "Rules") -> dict[str, list[str]]:
        """Return the labels without the weight of each evidence rule that the model knows."""
        evidence, known = self.cascade.model.evidence, self.knows(rules)
        if evidence is None or not known:
            return {}
        hits = evidence_hits(self.cascade, self.texts)
        columns = {rule: evidence.rules.index(rule) for rule in known}
        return {
            rule: self.labels(self.logits - hits[:, [column]] * evidence.coef[column])
            for rule, column in columns.items()
        }

    def account(self, rules: "Rules", truth: Sequence[str]) -> RuleBook:
        """Return what each rule is worth beside this model, given the true labels of the texts."""
        return account_rules(
            rules,
            self.texts,
            truth,
            self.labels(),
            positive=self.cascade.task.positive,
            without=self.without_each(rules),
        )


def account_of(cascade: "Cascade", rows: "Rows") -> RuleBook | None:
    """Return what each rule of a cascade is worth on rows that it was not trained on; None without rules."""
    if not cascade.rules.all:
        return None
    return ModelAlone.on(cascade, rows.texts).account(cascade.rules, rows.labels)


def evidence_hits(cascade: "Cascade", texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of a cascade's evidence rules fire on each text, shape (texts, evidence rules)."""
    return cascade.rules.hits(texts)[:, len(cascade.rules.deciding) :]


def features_of(rules: "Rules") -> dict[str, tuple[str, FoldingConfig | None]]:
    """Return for each evidence rule, by its id, what says on which texts it fires."""
    return {
        rule.id: (rule.pattern, rules.folding if rule.view == "folded" else None) for rule in rules.evidence
    }

"""Labelled rows to a cascade."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.config import FoldingConfig, Task
from assay.estimators.cascade import Cascade
from assay.estimators.fitting import check_family, fit_model, numbers_of
from assay.estimators.held_out import HeldOut
from assay.estimators.rules import NO_RULES, Rules, read_rules
from assay.estimators.selection import measure_rules, ruled_labels, select
from assay.estimators.texts import check_texts
from assay.exceptions import ConfigError
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows


def train_cascade(
    task: Task,
    train: "Rows",
    validation: "Rows | None" = None,
    *,
    work: Path | None = None,
    progress: Progress,
) -> Cascade:
    """Return the cascade of a task fitted on the rows of both sides.

    Every row is also scored by a model that did not see it. On these scores the calibration is chosen, by the
    Brier score of the ``validation`` rows, and the threshold. An encoder is fitted on the rows of ``train``
    alone, and chosen for are the scores of the validation rows; ``work`` is the folder where it keeps what an
    interrupted training goes on from. Raises RuleError for rules that cannot be used, GoalError for a goal
    that no threshold reaches, DataError when the rows leave nothing to learn from, TextError for a text that
    could not be scored, ConfigError for a base that cannot be used, MissingExtra.

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
    validation = validation or type(train)([], [])
    rows = train + validation if len(validation) else train
    check_texts(rows.texts)
    rules = rules_of(task)
    for rule in rules.expired:
        progress.say(f"  the rule {rule.id!r} is off: it expired on {rule.expires}")
    hits = rules.hits(rows.texts)
    first = len(rules.deciding)
    model, held_out, record, cost = fit_model(
        task,
        train,
        validation,
        evidence={rule.id: hits[:, first + at] for at, rule in enumerate(rules.evidence)},
        ruled=ruled_labels(rules, task.labels, hits),
        scores=needs_scores(task),
        work=work,
        progress=progress,
    )
    with progress.step("choose calibration and operating point"):
        point, selection = select(task, model.link, held_out)
    progress.say(f"  {selection.reason}")
    truth = numbers_of(rows.labels, task.labels)
    point = point.model_copy(update={"rules": measure_rules(rules, task.labels, hits, truth)})
    return Cascade(
        task=task,
        model=model,
        rules=rules,
        operating_point=point,
        selection=selection,
        training=record,
        quantization=cost,
    )


def check_trainable(task: Task) -> None:
    """Raise what a training would raise, as far as no row is needed to know it.

    RuleError for rules that cannot be used, ConfigError for rules that a family cannot use or a base that is
    none, MissingExtra.
    """
    rules = rules_of(task)
    check_family(task, [rule.id for rule in rules.evidence])


def retune(cascade: Cascade, task: Task, texts: Sequence[str], scored: HeldOut) -> Cascade:
    """Return a cascade's model with the rules and the goal of a task, chosen on texts with held-out scores.

    Raises ConfigError when evidence rules changed, which are features of the model; RuleError, GoalError.
    """
    rules = rules_of(task)
    if evidence_of(rules) != evidence_of(cascade.rules):
        raise ConfigError(
            "Evidence rules are features of the model, and they are not those that it was trained with: "
            f"{[rule.id for rule in cascade.rules.evidence]} then, {[rule.id for rule in rules.evidence]} "
            f"now, or another pattern, view or folding. Train instead: assay train {task.name}"
        )
    hits = rules.hits(texts)
    scored = replace(scored, ruled=ruled_labels(rules, task.labels, hits))
    point, selection = select(task, cascade.model.link, scored)
    point = point.model_copy(update={"rules": measure_rules(rules, task.labels, hits, scored.truth)})
    return Cascade(
        task=task,
        model=cascade.model,
        rules=rules,
        operating_point=point,
        selection=selection,
        quantization=cascade.quantization,
    )


def evidence_of(rules: Rules) -> list[tuple[str, str, str, FoldingConfig | None]]:
    """Return all that the values of evidence features depend on."""
    return [
        (rule.id, rule.pattern, rule.view, rules.folding if rule.view == "folded" else None)
        for rule in rules.evidence
    ]


def rules_of(task: Task) -> Rules:
    """Return the rules of a task's file of rules as they stand today, also of a file saved with a version.

    Raises RuleError.
    """
    if not task.rules:
        return NO_RULES
    today = datetime.now(UTC).date()
    return read_rules(
        Path(task.rules), labels=task.labels, positive=task.positive, folding=task.folding, today=today
    )


def needs_scores(task: Task) -> bool:
    """Return whether anything of a task is chosen on held-out scores."""
    return task.calibration != "none" or task.threshold.parsed.kind != "fixed"

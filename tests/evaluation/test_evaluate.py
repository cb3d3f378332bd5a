import json
import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from assay.config import BehaviourConfig, MustPass
from assay.datasets import Rows
from assay.estimators import Cascade
from assay.evaluation import Report, evaluate
from assay.exceptions import ArtifactError, DataError
from assay.progress import Progress
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled
from tests.evaluation.made_up import MOMENT, Table, Tuned, cascade_of, random_report, report_of, tuned

QUIET = Progress(quiet=True)
FACTS = {"name": "made-up", "fingerprint": "f" * 64}


def test_a_report_equals_scikit_learn_on_a_real_cascade(spam_cascade: Cascade) -> None:
    texts, labels = labelled(SPAM_GROUPS, 150, seed=9)
    report = evaluate(spam_cascade, Rows(texts, labels), dataset=FACTS, resamples=50, progress=QUIET)
    given = spam_cascade.predict(texts)
    scores = spam_cascade.predict_proba(texts)[:, 1]
    expected = precision_recall_fscore_support(labels, given, labels=["spam"], average=None)
    truth = np.array(labels) == "spam"
    found = report.metrics
    values = [found[name].value for name in ("precision", "recall", "f1", "roc_auc", "pr_auc", "accuracy")]
    areas = [roc_auc_score(truth, scores), average_precision_score(truth, scores)]
    accuracy = spam_cascade.score(texts, labels)
    assert values == pytest.approx([*(part[0] for part in expected[:3]), *areas, accuracy], abs=1e-12)
    assert (report.task, report.digest) == ("spam", spam_cascade.digest)
    assert report.rows_fingerprint == Rows(texts, labels).fingerprint
    assert report.training.hyperparameters["C"] == 10.0


def test_headlines_of_more_labels_are_means(abuse_cascade: Cascade) -> None:
    texts, labels = labelled(ABUSE_GROUPS, 60, seed=9)
    report = evaluate(abuse_cascade, Rows(texts, labels), dataset=FACTS, resamples=20, progress=QUIET)
    expected = precision_recall_fscore_support(labels, abuse_cascade.predict(texts), average="macro")
    values = [report.metrics[name].value for name in ("precision", "recall", "f1")]
    assert values == pytest.approx(expected[:3], abs=1e-12)
    assert report.metrics["macro_f1"] == report.metrics["f1"]
    truth = np.array([[label == name for name in abuse_cascade.labels] for label in labels])
    scores = abuse_cascade.predict_proba(texts)
    areas = [report.metrics["roc_auc"].value, report.metrics["pr_auc"].value]
    expected_areas = [roc_auc_score(truth, scores), average_precision_score(truth, scores)]
    assert areas == pytest.approx(expected_areas, abs=1e-12)
    assert set(report.curves) == set(abuse_cascade.labels)


@pytest.mark.parametrize(("threshold", "confusion"), [(0.5, ((1, 1), (0, 2))), (0.8, ((2, 0), (1, 1)))])
def test_the_served_threshold_decides_not_the_highest_probability(threshold, confusion) -> None:
    truth = ["ham", "ham", "spam", "spam"]
    scores = [[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]]
    report = report_of(truth, scores, threshold=threshold)
    assert report.confusion == confusion
    assert report.threshold == threshold


def test_the_positive_label_may_come_first() -> None:
    report = report_of(["spam", "ham", "ham"], [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], ("spam", "ham"))
    assert report.metrics["precision"].value == 0.5
    assert report.metrics["recall"].value == 1.0
    assert list(report.curves) == ["spam"]


def test_each_text_is_asked_once() -> None:
    model = Table({f"t{number}": [0.5, 0.5] for number in range(9)})
    rows = Rows(list(model.rows), ["ham"] * 8 + ["spam"])
    cascade = cascade_of(model, ["ham", "spam"], "spam", 0.5)
    evaluate(cascade, rows, dataset=FACTS, resamples=5, progress=QUIET)
    assert model.asked == 9


@pytest.mark.parametrize("labels", [["ham", "spam"], ["a", "b", "c"]])
def test_the_order_of_rows_changes_nothing(labels: list[str]) -> None:
    rng = np.random.default_rng(4)
    truth = [labels[number] for number in rng.integers(0, len(labels), 120)]
    scores = rng.dirichlet(np.ones(len(labels)), 120).round(1)  # rounded: many ties
    threshold = 0.5 if len(labels) == 2 else None
    texts = [f"text {number}" for number in range(120)]
    model = Table(dict(zip(texts, scores.tolist(), strict=True)))
    cascade = cascade_of(model, labels, labels[-1], threshold)
    shuffled = random.Random(0).sample(list(zip(texts, truth, strict=True)), 120)
    reports = [
        evaluate(
            cascade,
            Rows([text for text, _ in rows], [label for _, label in rows]),
            dataset=FACTS,
            resamples=40,
            progress=QUIET,
            clock=lambda: MOMENT,
        )
        for rows in (list(zip(texts, truth, strict=True)), shuffled)
    ]
    assert reports[0] == reports[1]


def test_the_seed_alone_moves_the_intervals() -> None:
    first, again, other = (random_report(200, ["ham", "spam"], bootstrap=seed) for seed in (0, 0, 1))
    assert first == again
    for name, interval in first.metrics.items():
        assert interval.value == other.metrics[name].value
    bounds = [(report.metrics["roc_auc"].low, report.metrics["f1"].low) for report in (first, other)]
    assert bounds[0][0] != bounds[1][0]
    assert bounds[0][1] != bounds[1][1]


def test_values_lie_within_their_intervals() -> None:
    report = random_report(500, ["a", "b", "c"], resamples=400)
    of_labels = [
        getattr(found, name)
        for found in report.per_class.values()
        for name in ("precision", "recall", "f1", "roc_auc", "pr_auc")
    ]
    for interval in (*report.metrics.values(), *of_labels):
        assert interval.low < interval.value < interval.high
    for name in ("recall", "roc_auc"):
        assert len({getattr(found, name).low for found in report.per_class.values()}) == 3


def test_one_class_leaves_areas_undefined_with_a_reason() -> None:
    report = report_of(["ham"] * 4, [[0.9, 0.1]] * 4)
    assert report.metrics["accuracy"].value == 1.0
    reasons = {name: interval.reason for name, interval in report.metrics.items() if interval.reason}
    assert reasons == {
        "precision": "no row was given the label 'spam' and none has it",
        "recall": "no row has the label 'spam'",
        "f1": "no row was given the label 'spam' and none has it",
        "roc_auc": "no row has the label 'spam'",
        "pr_auc": "no row has the label 'spam'",
    }
    assert report.per_class["ham"].roc_auc.reason == "every row has the label 'ham'"
    assert "NaN" not in report.to_json()


def test_an_absent_label_leaves_means_to_the_others() -> None:
    scores = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]]
    report = report_of(["a", "b", "a"], scores, ("a", "b", "c"), positive="a", threshold=None)
    assert report.per_class["c"].f1.value is None
    assert report.metrics["f1"].value == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_no_rows_give_a_report_without_values() -> None:
    report = report_of([], [])
    assert report.rows == 0
    assert all(interval.value is None for interval in report.metrics.values())
    assert json.loads(report.to_json())["metrics"]["f1"]["value"] is None


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"labels that the model does not know: \['eggs'\]; it knows \['ham', 'spam'\]"
    ):
        report_of(["eggs"], [[0.5, 0.5]])


def test_rules_decide_before_the_model(tuned_report: Report, tuned_spam: Tuned, held_out: Rows) -> None:
    cascade, found = tuned_spam.cascade, tuned_report.decided_by
    hits = cascade.rules.hits(held_out.texts)
    assert (found.rules, found.model) == (hits.any(axis=1).sum(), len(held_out) - hits.any(axis=1).sum())
    assert found.rules + found.model == tuned_report.rows
    assert list(found.by_rule) == [rule.id for rule in cascade.rules.deciding]
    assert sum(rule.rows for rule in found.by_rule.values()) == found.rules
    given = cascade.predict(held_out.texts)
    assert tuned_report.metrics["accuracy"].value == np.mean(np.array(given) == held_out.labels)


def test_scores_are_those_of_the_rows_that_the_model_decided(
    tuned_report: Report, tuned_spam: Tuned, held_out: Rows
) -> None:
    found, judged = tuned_report, tuned_spam.cascade.judge(held_out.texts)
    left = judged.rules < 0
    missed = (np.array(held_out.labels) == "spam") - judged.probabilities[:, 1]
    assert found.calibration.brier.value == pytest.approx((missed[left] ** 2).mean(), abs=1e-12)
    counts = sum(sum(group) for group in found.scores.counts.values())
    assert counts == found.calibration.rows == sum(held.count for held in found.calibration.bins)
    assert counts == found.decided_by.model < found.rows
    assert found.scores.of == "Probability of spam, rows left to the model"
    assert found.calibration.event == "Probability of spam"


def test_calibration_of_two_labels_is_of_the_positive_one() -> None:
    truth = ["spam"] * 15 + ["ham"] * 5
    report = report_of(truth, [[0.4, 0.6]] * 20, ("spam", "ham"), positive="spam")
    [held] = report.calibration.bins
    assert (held.count, held.probability, held.observed.value) == (20, pytest.approx(0.4), 0.75)
    assert report.calibration.method == "none"


def test_calibration_of_more_labels_is_of_the_most_probable_one() -> None:
    scores = [[0.6, 0.3, 0.1]] * 20
    report = report_of(["a"] * 10 + ["b"] * 10, scores, ("a", "b", "c"), positive="c", threshold=None)
    [held] = report.calibration.bins
    assert (held.probability, held.observed.value) == (pytest.approx(0.6), 0.5)
    assert report.calibration.event == "Probability of the most probable label"


def test_rules_that_decide_every_row_leave_nothing_to_calibrate(tuned_spam: Tuned, held_out: Rows) -> None:
    ruled = tuned_spam.cascade.rules.hits(held_out.texts).any(axis=1)
    rows = Rows(*(np.array(column)[ruled].tolist() for column in (held_out.texts, held_out.labels)))
    report = evaluate(tuned_spam.cascade, rows, dataset=FACTS, resamples=5, progress=QUIET)
    assert report.calibration.ece.reason == "rules decided every row"
    assert report.decided_by.model_right.value is None
    assert json.loads(report.to_json())["calibration"]["bins"] == []


def test_thresholds_of_more_labels_are_part_of_the_report(abuse_cascade: Cascade) -> None:
    cascade, tables, _ = tuned(abuse_cascade, "max f1", *labelled(ABUSE_GROUPS, 60, seed=8))
    rows = Rows(*labelled(ABUSE_GROUPS, 60, seed=9))
    report = evaluate(cascade, rows, dataset=FACTS, thresholds=tables, resamples=5, progress=QUIET)
    assert report.thresholds == cascade.operating_point.thresholds
    assert set(report.operating_point.thresholds) == set(cascade.labels)
    labels, given = cascade.labels, cascade.judge(rows.texts)
    confidence = given.probabilities[np.arange(len(rows)), [labels.index(label) for label in given.labels]]
    assert report.operating_point.reviewed == (confidence >= 0.2).sum()


@pytest.mark.parametrize("scores", [[[np.nan, 1.0]], [[0.1, 0.2, 0.7]]])
def test_probabilities_that_are_none_are_refused(scores: list[list[float]]) -> None:
    with pytest.raises(ArtifactError, match="'MailClassifier' gave probabilities of shape"):
        report_of(["ham"], scores)


def test_facts_of_data_and_training_are_kept() -> None:
    facts = FACTS | {"licence": "CC BY 4.0", "counts": {"test": {"ham": 1}}, "audit": {"rows": (1, 2)}}
    training = {"seconds": 1.5, "git_commit": None, "libraries": {"numpy": "2.4"}}
    report = report_of(["ham"], [[0.9, 0.1]], dataset=facts, training=training)
    assert report.dataset.licence == "CC BY 4.0"
    assert report.dataset.audit == {"rows": [1, 2]}
    assert report.training.seconds == 1.5
    assert report.created_at == MOMENT
    assert (report.model, report.version) == ("MailClassifier", "7")


def test_a_folder_adds_cost_rules_and_what_was_asked_to_be_tried(
    ruled_artifact: Path, ruled_cascade: Cascade
) -> None:
    rows = Rows(*labelled(SPAM_GROUPS, 40, seed=9))
    near = np.arange(len(rows)) < 5
    report = evaluate(
        ruled_cascade,
        rows,
        dataset=FACTS,
        near=near,
        seen=~near,
        behaviour=BehaviourConfig(rows=10),
        must_pass=[MustPass(text="claim your prize now", label="spam")],
        folder=ruled_artifact,
        resamples=20,
        progress=QUIET,
    )
    assert report.rule_account is not None
    assert report.rule_account.rows == len(rows)
    assert report.cost is not None
    assert report.cost.texts == len(rows)
    assert {test.name for test in report.behaviour} >= {"typos", "negation", "link"}
    assert [case.passed for case in report.must_pass] == [True]
    assert report.leakage is not None
    assert (report.leakage.seen, report.leakage.near) == (75, 5)
    assert {part.by for part in report.slices} == {"length", "resembles training", "decided by"}
    assert Report.from_json(report.to_json()) == report
    assert report.flat()["rows_seen_in_training"] == 75
    told = "\n".join(report.lines())
    assert "Held-out rows that the model was trained on: 75 of 80 (93.75%)" in told
    assert "Texts that must pass: 1 of 1 do" in told
    assert "Cost here: " in told
    bare = evaluate(ruled_cascade, rows, dataset=FACTS, resamples=20, progress=QUIET)
    assert (bare.cost, bare.rule_account, bare.behaviour, bare.must_pass) == (None, None, (), ())
    assert bare.metrics == report.metrics

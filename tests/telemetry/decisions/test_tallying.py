"""Counts of decisions against counting by hand."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.telemetry import Record, tally_records
from tests.telemetry.decisions.test_lines import RECORDS
from tests.telemetry.decisions.written import record

COUNTED = st.lists(RECORDS, min_size=1, max_size=20)


@given(COUNTED)
def test_counts_are_those_by_hand(records: list[Record]) -> None:
    told = tally_records(records).to_dict()
    assert told["logged"] == len(records)
    assert told["decisions"] == round(sum(1 / each.share for each in records))
    assert told["sampled"] == any(each.share < 1 for each in records)
    for task, counts in told["tasks"].items():
        mine = [each for each in records if each.task == task]
        weights = Counter()
        for each in mine:
            weights[each.label] += 1 / each.share  # type: ignore[assignment]
        assert counts["label"] == {label: round(weight) for label, weight in weights.items()}
        assert list(counts["label"]) == sorted(weights, key=lambda label: (-weights[label], label))
        confidence = sum(each.confidence / each.share for each in mine) / weights.total()
        assert counts["mean_confidence"] == pytest.approx(confidence)


def test_scores_are_told_in_tenths_and_deciles() -> None:
    scores = [at / 100 for at in range(100)]
    told = tally_records(record(at, score=score) for at, score in enumerate(scores)).tasks["spam"].to_dict()
    assert told["scores"] == [10] * 10
    assert told["score_deciles"] == pytest.approx([at / 10 - 0.009 for at in range(1, 10)])
    assert tally_records([record(score=1.0)]).tasks["spam"].to_dict()["scores"] == [0] * 9 + [1]
    assert tally_records([record(score=None)]).tasks["spam"].to_dict()["score_deciles"] == []


def test_nothing_is_counted_as_nothing() -> None:
    assert tally_records([]).to_dict() == {
        **{"decisions": 0, "logged": 0, "sampled": False, "first": None, "last": None, "tasks": {}}
    }

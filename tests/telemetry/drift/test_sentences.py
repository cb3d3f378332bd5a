"""What changed, in words."""

import pytest

from assay.telemetry import sentence
from assay.telemetry.drift.sentences import percent
from tests.telemetry.drift.profiles import categories, numbers


@pytest.mark.parametrize(
    ("reference", "counts", "told"),
    [
        (
            categories("label", {"a": 700, "b": 200, "c": 100}),
            [400, 200, 400],
            "40 % of the last 1,000 decisions are given the label 'c', 10 % when it was trained (PSI 0.58)",
        ),
        (
            categories("decided_by", {"model": 990, "prize": 10}),
            [700, 300],
            "30 % of the last 1,000 decisions are made by the rule 'prize', "
            "1 % when it was trained (PSI 1.07)",
        ),
        (
            categories("decided_by", {"model": 10, "prize": 990}),
            [300, 700],
            "30 % of the last 1,000 decisions are made by the model, 1 % when it was trained (PSI 1.07)",
        ),
        (
            categories("above", {"at or above": 130, "below": 870}),
            [310, 690],
            "31 % of the last 1,000 decisions have a score at or above the threshold, "
            "13 % when it was trained (PSI 0.20)",
        ),
        (
            categories("near", {"near": 100, "elsewhere": 900}, band=(0.4, 0.6)),
            [300, 700],
            "30 % of the last 1,000 decisions have a score near the threshold, "
            "10 % when it was trained (PSI 0.27)",
        ),
        (
            numbers("characters", {100: 10, 1200: 900, 9999: 90}),
            [10, 490, 500],
            "50 % of the last 1,000 decisions have a text of 1,200 characters or more, "
            "9 % when it was trained (PSI 0.95)",
        ),
        (
            numbers("characters", {200: 1, 1200: 909, 9999: 90}),
            [10, 900, 90],
            "1 % of the last 1,000 decisions have a text of under 200 characters, "
            "0.10 % when it was trained (PSI 0.02)",
        ),
        (
            numbers("unknown", {0.25: 900, 1.1: 100}),
            [200, 200],
            "50 % of the last 400 decisions have a share of unknown words of 0.25 or more, "
            "10 % when it was trained (PSI 0.88)",
        ),
        (
            numbers("score", {0.125: 100, 1.1: 900}),
            [200, 200],
            "50 % of the last 400 decisions have a score under 0.125, 10 % when it was trained (PSI 0.88)",
        ),
    ],
)
def test_a_sentence_tells_what_is_now_what_was_and_how_far(
    reference: object, counts: object, told: str
) -> None:
    assert sentence(reference, counts) == told  # type: ignore[arg-type]


def test_nothing_can_be_told_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to compare: 10 reference rows, 0 decisions"):
        sentence(categories("label", {"a": 5, "b": 5}), [0, 0])


@pytest.mark.parametrize(
    ("share", "told"), [(0, "0 %"), (0.0003, "0.03 %"), (0.31, "31 %"), (0.9995, "99.95 %"), (1, "100 %")]
)
def test_a_share_has_the_digits_that_tell_it_from_nothing_and_from_all(share: float, told: str) -> None:
    assert percent(share) == told

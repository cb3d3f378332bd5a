import pytest
from pydantic import ValidationError

from tests.encoders import tiny_spec


@pytest.mark.parametrize(("labels", "logits"), [(("a", "b"), 1), (("a", "b", "c"), 3)])
def test_two_labels_have_one_logit_and_more_one_each(labels: tuple[str, ...], logits: int) -> None:
    assert tiny_spec(labels).logits == logits


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"link": "softmax"}, "the link is 'sigmoid', not 'softmax'"),
        ({"link": "ovr", "labels": ("a", "b", "c")}, "the link is 'softmax', not 'ovr'"),
        ({"labels": ("a", "a")}, "two or more that differ"),
        ({"labels": ("a",)}, "two or more that differ"),
        ({"max_tokens": 2}, "greater than or equal to 3"),
        ({"tolerance": float("nan")}, "finite number"),
        ({"precision": "fp16"}, "'fp32' or 'int8'"),
        ({"more": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(settings: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        tiny_spec(**settings)

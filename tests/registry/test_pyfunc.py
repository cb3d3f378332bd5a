import warnings
from collections.abc import Callable
from typing import Any

import pytest

from assay.estimators import Cascade
from assay.registry.client import QUIET, environment
from assay.registry.store import parse_store
from tests.registry.conftest import Bench

TEXTS = ["free prize, call now", "lunch tomorrow?"]


def load(bench: Bench, address: str) -> Any:
    """Load as a person would; MLflow's warnings about its own libraries and stages are not ours."""
    with environment(QUIET), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        mlflow.set_tracking_uri(parse_store(bench.uri).for_mlflow)
        return mlflow.pyfunc.load_model(address)


def as_frame(texts: list[str]) -> Any:
    import pandas

    return pandas.DataFrame({"text": texts})


@pytest.mark.parametrize("address", ["models:/{}/Production", "models:/{}@production", "models:/{}/1"])
def test_mlflow_loads_what_serves_with_the_same_decisions(
    address: str, any_bench: Bench, spam_cascade: Cascade
) -> None:
    any_bench.register()
    any_bench.promote("1")
    decisions = load(any_bench, address.format(any_bench.model)).predict(TEXTS)
    expected = spam_cascade.decide(TEXTS)
    assert list(decisions["label"]) == [each.label for each in expected]
    assert list(decisions["score"]) == [each.score for each in expected]
    assert list(decisions["task"]) == ["spam", "spam"]


@pytest.mark.parametrize("make", [list, as_frame, lambda texts: as_frame(texts)["text"]])
def test_mlflow_takes_lists_frames_and_series(make: Callable[[list[str]], Any], bench: Bench) -> None:
    bench.register(passed=None)
    model = load(bench, f"models:/{bench.model}/1")
    assert list(model.predict(make(TEXTS))["label"]) == ["spam", "ham"]
    assert list(model.predict(TEXTS[0])["label"]) == ["spam"]


def test_rollback_by_alias_is_a_rollback_by_stage(bench: Bench) -> None:
    bench.register()
    bench.register(champion="1")
    bench.promote("1")
    bench.promote("2")
    bench.rollback()
    first = bench.registry.version(bench.model, "1")
    for address in ("models:/{}/Production", "models:/{}@production"):
        assert load(bench, address.format(bench.model)).metadata.run_id == first.run_id

"""Which models Assay registered, whatever else is in the store."""

from assay.registry import find_models
from tests.registry.conftest import Bench


def test_every_model_of_assay_is_listed_with_its_task(any_bench: Bench) -> None:
    with any_bench.registry._client.session() as mlflow:
        mlflow.create_registered_model(f"Other{any_bench.model}")
    assert any_bench.model not in find_models(any_bench.uri)
    any_bench.register()
    any_bench.register()
    found = find_models(any_bench.uri)
    assert found[any_bench.model] == any_bench.task.name
    assert f"Other{any_bench.model}" not in found
    assert list(found) == sorted(found)

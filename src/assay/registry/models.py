"""Which models there are, and the tasks that they decide."""

from assay.registry.store import parse_store
from assay.registry.versions import tagged


def find_models(uri: str) -> dict[str, str]:
    """Return the task of every model that Assay registered, by the model's name, sorted.

    Raises RegistryUnavailable, RegistryError.
    """
    found = tagged(parse_store(uri), "assay.task")
    return {model: task for (model, _), task in sorted(found.items())}

"""One tree of errors, shown whole in its module's docstring."""

import re

import pytest

from assay import exceptions
from assay.exceptions import AssayError, ColumnError, DataError, MissingExtra

ERRORS = [
    value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, Exception)
]


def drawn() -> dict[str, str]:
    """Return each error in the docstring's tree with the error above it."""
    above: list[str] = []
    parents: dict[str, str] = {}
    for line in (exceptions.__doc__ or "").splitlines():
        if found := re.match(r"^((?:│   |    )*)[├└]── (\w+)", line):
            depth = len(found[1]) // 4 + 1
        elif found := re.match(r"^()(AssayError)$", line):
            depth = 0
        else:
            continue
        parents[found[2]] = above[depth - 1] if depth else "Exception"
        above = [*above[:depth], found[2]]
    return parents


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    assert drawn() == {error.__name__: error.__base__.__name__ for error in ERRORS}  # type: ignore[union-attr]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_documented_and_ours(error: type[Exception]) -> None:
    assert issubclass(error, AssayError)
    assert vars(error).get("__doc__")


def test_an_error_carries_the_values_that_its_message_names() -> None:
    error = ColumnError("No column 'text'; there are 'a', 'b'.", columns=["a", "b"], column="text")
    assert isinstance(error, DataError)
    assert str(error) == error.message == "No column 'text'; there are 'a', 'b'."
    assert error.data == {"columns": ["a", "b"], "column": "text"}


def test_a_missing_extra_names_feature_package_and_command() -> None:
    error = MissingExtra("Training", package="scikit-learn", extra="train")
    assert str(error) == (
        "Training needs the package 'scikit-learn', which is not installed. "
        "Install it with: pip install 'assay[train]'"
    )
    assert error.data == {"package": "scikit-learn", "extra": "train"}

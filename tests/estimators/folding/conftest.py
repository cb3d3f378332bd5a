"""Every test of folding runs over both of its forms."""

from collections.abc import Iterator

import pytest

from assay.estimators import kernel
from assay.estimators.folding import folder


@pytest.fixture(scope="module", params=["compiled", "python"], autouse=True)
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """The form that ``fold`` takes meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_KERNEL", "python" if request.param == "python" else "")
        folder.cache_clear()
        if request.param == "compiled" and kernel.compiled("folding") is None:
            pytest.skip("the kernel was not built: there was no C compiler")
        yield request.param
    folder.cache_clear()

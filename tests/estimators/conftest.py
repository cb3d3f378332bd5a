"""An artifact made by hand, a copy of it to damage, and the kernel's two forms."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.estimators import save_artifact, uncompiled
from tests.estimators.made_up import cascade_of, made


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact that is never changed; its third golden text has a probability of exactly one half."""
    coef = {"free": [2.0], "prize": [1.0], "lunch": [-3.0]}
    model = made(coef, scale={"free": 1.5, "prize": 0.5, "lunch": 1.0})
    folder = tmp_path_factory.mktemp("whole") / "model"
    save_artifact(cascade_of(model), folder, golden=["free prize", "lunch", "zzz"], provenance={})
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of an artifact, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


@pytest.fixture(scope="module", params=["compiled", "python"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a module's tests by the compiled kernel, and again in Python."""
    if request.param == "compiled" and "scoring" in uncompiled():
        pytest.skip("there is no compiled kernel here")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "python":
            patch.setenv("ASSAY_KERNEL", "python")
        yield request.param

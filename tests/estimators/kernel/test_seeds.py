"""Inputs that the fuzzer found worth keeping, tried again."""

from pathlib import Path

import pytest

from tests.estimators.kernel.checks import built, check

SEEDS = sorted((Path(__file__).parent / "seeds").iterdir())


@pytest.mark.skipif(not list(built()), reason="there is no compiled kernel here")
@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name[:8])
def test_a_kept_input_gets_the_same_answer_in_both_forms(seed: Path) -> None:
    check(seed.read_bytes())

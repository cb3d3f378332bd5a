"""The pace of a service: short turns of threads, and nothing old to walk through."""

import gc
import sys

import pytest

from assay.serving import paced
from assay.serving.pace import SWITCH_SECONDS


def test_threads_take_shorter_turns_while_the_service_runs() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(KeyError, match="over"), paced():  # noqa: PT012
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
        raise KeyError("over")
    assert sys.getswitchinterval() == before


def test_what_exists_at_the_start_is_not_walked_through() -> None:
    kept = [[number] for number in range(1_000)]
    with paced():
        assert gc.get_freeze_count() >= len(kept)
    gc.unfreeze()

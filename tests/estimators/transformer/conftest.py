"""A tiny base, and what a training of it needs."""

from pathlib import Path
from typing import Any

import pytest

from assay.config import Task, parse_task
from assay.datasets import Rows
from tests.libraries import need_training

need_training()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Compute in one thread: several tests run at once, and threads of one would wait for another's cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def rows() -> tuple[Rows, Rows]:
    """Rows to train on and to validate with."""
    from tests.corpus import SENTIMENT_GROUPS, labelled

    return Rows(*labelled(SENTIMENT_GROUPS, 60, 0)), Rows(*labelled(SENTIMENT_GROUPS, 30, 1))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, rows: tuple[Rows, Rows]) -> Path:
    """The folder of a tiny base whose tokenizer knows the words of the rows."""
    from tests.bases import tiny_base

    return tiny_base(tmp_path_factory.mktemp("base") / "tiny", texts=rows[0].texts)


def task_of(base: Path, **estimator: Any) -> Task:
    """Return a task that fine-tunes a base in a second or two."""
    quick = {"max_tokens": 32, "epochs": 3, "patience": 0, "batch_size": 8, "learning_rate": 5e-3}
    values = {"name": "film", "labels": ["negative", "positive"], "positive": "positive"}
    chosen = {"family": "transformer", "base": str(base)} | quick | estimator
    return parse_task(values | {"data": {"source": "x"}, "estimator": chosen}, source="a test")

"""Where texts are decided: a few short ones on the event loop, the rest in a thread."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from assay.config import Task
from assay.estimators import Cascade, Decision
from assay.estimators.model import Model
from assay.service import Models, Served, create_app
from assay.service.deciding import fits_inline
from assay.service.limits import DECIDING_THREADS, INLINE_CHARACTERS, INLINE_TEXTS
from assay.telemetry import Counters


@dataclass
class Watched:
    """A cascade that remembers the thread of each call."""

    cascade: Cascade
    threads: list[str] = field(default_factory=list)
    version: str = "1"

    @property
    def task(self) -> Task:
        return self.cascade.task

    @property
    def model(self) -> Model:
        return self.cascade.model

    def decide(self, texts: Sequence[str], *, explain: bool = False) -> list[Decision]:
        self.threads.append(threading.current_thread().name)
        return self.cascade.decide(texts, explain=explain)


@pytest.mark.parametrize(
    ("texts", "inline"),
    [
        (["a"], True),
        (["a"] * INLINE_TEXTS, True),
        (["a"] * (INLINE_TEXTS + 1), False),
        (["a" * INLINE_CHARACTERS], True),
        (["a" * INLINE_CHARACTERS, "b"], False),
    ],
)
def test_few_and_short_texts_fit_inline(texts: list[str], inline: bool) -> None:
    assert fits_inline(texts) is inline


def test_a_long_request_leaves_the_event_loop(spam_cascade: Cascade) -> None:
    watched = Watched(spam_cascade)
    models = Models()
    models.serve(Served(cascade=watched))  # type: ignore[arg-type]
    client = TestClient(create_app(models, metrics=Counters()))
    client.post("/predict", json={"text": "hello"})
    client.post("/predict", json={"text": "hello " * INLINE_CHARACTERS})
    client.post("/batch_predict", json={"texts": ["hello"] * (INLINE_TEXTS + 1)})
    assert len(watched.threads) == 3
    assert "worker" not in watched.threads[0].lower()
    assert all("worker" in name.lower() for name in watched.threads[1:])


def test_a_bad_text_is_named_from_a_thread_too(client: TestClient) -> None:
    texts = ["hello"] * (INLINE_TEXTS * DECIDING_THREADS) + [" "]
    error = client.post("/batch_predict", json={"texts": texts}).json()["error"]
    assert error["detail"][0]["field"] == f"texts.{len(texts) - 1}"

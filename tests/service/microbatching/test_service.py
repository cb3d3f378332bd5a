"""A service over encoders: one answer by every way, rules that do not wait, queues with an end, swaps."""

import csv
import gc
import io
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from assay.config import FoldingConfig
from assay.estimators import Cascade, Runtime, load_artifact, parse_rules
from assay.estimators.thresholds.operating_point import RuleMeasure
from assay.service import Batching, Limits, Models, Pace, Served, create_app, open_cache
from assay.service.microbatching import MicroBatchedModel
from assay.serving import Encoders
from assay.serving.opening import open_folder
from assay.telemetry import Counters
from tests.corpus import ODD
from tests.encoded import encoder_artifact, encoder_cascade
from tests.encoders import LINES
from tests.service.microbatching.doubles import GatedEncoder, eventually

Serve = Callable[[FastAPI], AbstractContextManager[str]]
TEXTS = [*LINES, *[text for text in ODD if text.strip() and "\x00" not in text], "free prize " * 900]
PATIENT = Limits(max_in_flight=256, max_delay_ms=60_000.0)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact folder whose model is an encoder."""
    return encoder_artifact(tmp_path_factory.mktemp("encoder") / "mood", labels=("negative", "positive"))


def app_of(
    *served: Served, metrics: Counters | None = None, limits: Limits = PATIENT, models: Models | None = None
) -> FastAPI:
    """Return a service over cascades."""
    models = models or Models()
    for each in served:
        models.serve(each)
    return create_app(models, metrics=metrics or Counters(), limits=limits)


def opened(folder: Path, metrics: Counters, *, entries: int = 0, sessions: int = 2) -> Served:
    """Return what an artifact folder holds, behind its queue."""
    cache = open_cache(entries, "", metrics)
    batching = Batching(pace=Pace(wait_ms=1.0), told=metrics, cache=cache)
    encoders = Encoders(runtime=Runtime(sessions=sessions, threads=1), batching=batching)
    return open_folder(folder, number="1", encoders=encoders)


def gated(*, queue: int = 256, **parts: Any) -> tuple[Served, GatedEncoder]:
    """Return a cascade whose encoder answers when it is let, and that encoder."""
    encoder = GatedEncoder.made(open=False)
    pace = Pace(queue=queue, batch_tokens=1)
    cascade = encoder_cascade(model=encoder, **parts)
    return Served(cascade=Batching(pace=pace).over(cascade.at_version("1"))), encoder


def answers(decisions: Sequence[dict[str, Any]]) -> list[tuple[str, float]]:
    """Return what must be the same by every way."""
    return [(each["label"], float(each["score"])) for each in decisions]


def alone(cascade: Cascade, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return what a cascade decides, one text after another, as it is."""
    return answers([cascade.decide([text])[0].to_dict() for text in texts])


def posted(client: httpx.Client, text: str, **headers: str) -> httpx.Response:
    """Ask for one text."""
    return client.post("/predict", json={"text": text}, headers=headers)


def by_csv(client: httpx.Client, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return the answers to the rows of a file."""
    out = io.StringIO()
    csv.writer(out).writerows([["t"], *[[text] for text in texts]])
    answer = client.post("/batch?text=t", files={"file": ("x.csv", out.getvalue().encode())})
    rows = csv.DictReader(io.StringIO(answer.text))
    return [(row["assay_label"], float(row["assay_score"])) for row in rows]


@pytest.mark.parametrize("entries", [0, 1_000], ids=["without a cache", "with a cache"])
def test_an_answer_is_the_same_by_every_way_under_load(serve: Serve, artifact: Path, entries: int) -> None:
    metrics = Counters()
    expected = alone(load_artifact(artifact), TEXTS)
    with (
        serve(app_of(opened(artifact, metrics, entries=entries), metrics=metrics)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
        ThreadPoolExecutor(16) as threads,
    ):
        singles = [threads.submit(posted, client, text) for _ in range(3) for text in TEXTS]
        batches = [threads.submit(client.post, "/predict/batch", json={"texts": TEXTS}) for _ in range(3)]
        files = [threads.submit(by_csv, client, TEXTS) for _ in range(2)]
        found = answers([each.result().json() for each in singles])
        close(found, expected * 3)
        for batch in batches:
            close(answers(batch.result().json()["predictions"]), expected)
        for file in files:
            close(file.result(), expected)
        told = client.get("/metrics").text
    assert "assay_queue_texts 0.0" in told
    assert ('assay_cache_lookups_total{tier="local"}' in told) is bool(entries)


def close(found: Sequence[tuple[str, float]], expected: Sequence[tuple[str, float]]) -> None:
    """Assert that labels are the same, and scores but for the last digits of 32 bits."""
    assert [label for label, _ in found] == [label for label, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_the_same_text_has_the_same_score_from_the_model_and_from_the_cache(
    serve: Serve, artifact: Path
) -> None:
    metrics = Counters()
    with (
        serve(app_of(opened(artifact, metrics, entries=10), metrics=metrics)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        first, *again = [posted(client, LINES[0]).json() for _ in range(3)]
        assert answers(again) == answers([first]) * 2
        told = client.get("/metrics").text
    assert 'assay_cache_lookups_total{tier="local"} 2.0' in told
    assert 'assay_cache_lookups_total{tier="none"} 1.0' in told
    assert "assay_cache_entries 1.0" in told


def ruled_by_prize(served: Served) -> Served:
    """Return a cascade in which a rule decides about prizes."""
    rule = {"id": "prize", "pattern": "prize", "label": "spam", "action": "decide", "examples": ["a prize"]}
    labels = ["ham", "spam"]
    rules = parse_rules(
        {"rule": [rule]},
        source="the test",
        labels=labels,
        positive="spam",
        folding=FoldingConfig(),
        today=date(2026, 11, 21),
    )
    worth = {"prize": RuleMeasure(hits=10, right=10, low=0.7)}
    point = served.cascade.operating_point.model_copy(update={"rules": worth})
    return Served(cascade=replace(served.cascade, rules=rules, operating_point=point))


def test_what_a_rule_decides_does_not_wait_for_the_model(serve: Serve) -> None:
    served, encoder = gated(labels=("ham", "spam"))
    with (
        serve(app_of(ruled_by_prize(served))) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(posted, client, LINES[0])
        encoder.gate.wait_until_begun()
        assert posted(client, "a prize").json()["decided_by"] == "rule"
        both = client.post("/predict", json={"texts": ["a prize", "two prizes"]}).json()
        assert {each["decided_by"] for each in both["predictions"]} == {"rule"}
        assert client.get("/health").json()["status"] == "ok"
        assert b"assay_in_flight" in client.get("/metrics").content
        assert not waiting.done()
        encoder.gate.let()
        assert waiting.result().json()["decided_by"] == "model"


def waiting_for(served: Served) -> int:
    """Return how many texts wait for a model."""
    model = served.cascade.model
    assert isinstance(model, MicroBatchedModel)
    return model.batcher.texts


def asked(
    threads: ThreadPoolExecutor, client: httpx.Client, served: Served, text: str
) -> Future[httpx.Response]:
    """Ask for one text, and return when it waits for the model."""
    before = waiting_for(served)
    future = threads.submit(posted, client, text)
    eventually(lambda: waiting_for(served) > before)
    return future


def test_a_full_queue_is_told_at_once_and_health_goes_on(serve: Serve) -> None:
    served, encoder = gated(queue=2)
    with (
        serve(app_of(served)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        first = threads.submit(posted, client, "first")
        encoder.gate.wait_until_begun()
        waiting = [asked(threads, client, served, text) for text in ("second", "third")]
        refused = posted(client, "fourth")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert client.get("/health/ready").status_code == 200
        encoder.gate.let()
        assert [each.result().status_code for each in (first, *waiting)] == [200, 200, 200]


@pytest.mark.parametrize("limit", [0.05, 1e6], ids=["the service's", "the request's"])
def test_a_deadline_takes_what_waits_out_of_the_queue(serve: Serve, limit: float) -> None:
    served, encoder = gated()
    limits = replace(PATIENT, encoder_deadline_seconds=limit)
    headers = {"X-Deadline-Seconds": "0.05" if limit > 1 else "1e6"}
    with (
        serve(app_of(served, limits=limits)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        first = threads.submit(served.cascade.decide, ["first"])
        encoder.gate.wait_until_begun()
        late = posted(client, "late", **headers)
        assert (late.status_code, late.json()["error"]["code"]) == (503, "deadline_exceeded")
        assert waiting_for(served) == 0
        encoder.gate.let()
        assert first.result()[0].decided_by == "model"
        assert len(encoder.gate.batches) == 1


@pytest.mark.parametrize("deadline", ["soon", "0", "-1", "nan"])
def test_a_deadline_that_is_none_is_named(serve: Serve, deadline: str) -> None:
    served, encoder = gated()
    encoder.gate.let()
    with serve(app_of(served)) as address, httpx.Client(base_url=address, timeout=60) as client:
        error = posted(client, "text", **{"X-Deadline-Seconds": deadline}).json()["error"]
    assert (error["code"], error["detail"][0]["field"]) == ("invalid_request", "X-Deadline-Seconds")


def test_a_model_that_fails_is_told_and_the_next_text_is_answered(serve: Serve) -> None:
    served, encoder = gated()
    encoder.gate.let()
    encoder.gate.breaks_at = encoder.tokens.ids(["prize"])[0][1]
    with serve(app_of(served)) as address, httpx.Client(base_url=address, timeout=60) as client:
        failed = posted(client, "prize")
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "model_failed")
        assert posted(client, "terrible film").status_code == 200


def test_a_version_that_is_swapped_out_answers_what_came_to_it(serve: Serve, spam_cascade: Cascade) -> None:
    served, encoder = gated(name="spam", labels=("ham", "spam"))
    models = Models()
    with (
        serve(app_of(served, models=models)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        first = threads.submit(posted, client, "first")
        encoder.gate.wait_until_begun()
        old = [asked(threads, client, served, f"text {number}") for number in range(5)]
        models.serve(Served(cascade=spam_cascade.at_version("2")))
        assert posted(client, "text").json()["version"] == "2"
        encoder.gate.let()
        assert {each.result().json()["version"] for each in (first, *old)} == {"1"}


def test_a_version_that_nobody_holds_any_more_ends_its_threads_and_frees_its_model() -> None:
    served, encoder = gated()
    encoder.gate.let()
    served.cascade.decide(["text"])
    model = served.cascade.model
    assert isinstance(model, MicroBatchedModel)
    threads, gone = model.batcher._threads, weakref.ref(encoder)
    gc.disable()
    try:
        # Without the collector of garbage: what exists when a service starts is frozen and never looked at.
        del served, encoder, model
        eventually(lambda: not any(thread.is_alive() for thread in threads))
        eventually(lambda: gone() is None)
    finally:
        gc.enable()


def test_swaps_between_linear_models_and_encoders_under_load_lose_nothing(
    serve: Serve, artifact: Path, sentiment_cascade: Cascade
) -> None:
    metrics, models, stop = Counters(), Models(), threading.Event()
    encoded = opened(artifact, metrics, entries=100)
    linear = Served(cascade=replace(sentiment_cascade.at_version("2"), task=encoded.cascade.task))
    expected = {
        each.version: dict(zip(LINES, alone(each.cascade, LINES), strict=True)) for each in (encoded, linear)
    }
    with (
        serve(app_of(encoded, metrics=metrics, models=models)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
        ThreadPoolExecutor(8) as threads,
    ):

        def ask(number: int) -> set[str]:
            seen, at = set[str](), number
            while not stop.is_set() or len(seen) < 1:
                text = LINES[at % len(LINES)]
                answer = posted(client, text)
                assert answer.status_code == 200, answer.text
                found = answer.json()
                close(answers([found]), [expected[found["version"]][text]])
                seen.add(found["version"])
                at += 1
            return seen

        asking = [threads.submit(ask, number) for number in range(6)]
        for number in range(12):
            models.serve(linear if number % 2 else replace(encoded))
            assert posted(client, LINES[0]).json()["version"] == ("2" if number % 2 else "1")
        stop.set()
        seen = set[str]().union(*(each.result() for each in asking))
    assert seen <= {"1", "2"}

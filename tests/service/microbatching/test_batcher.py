"""Texts of many requests are answered together; full queues, deadlines and failures hurt only their own."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from assay.exceptions import RequestRefused
from assay.service.microbatching import Batcher, Pace
from assay.service.microbatching.ticket import Logits
from tests.service.microbatching.doubles import Network, eventually
from tests.service.microbatching.told import Told


@contextmanager
def batching(network: Network, **pace: float) -> Iterator[tuple[Batcher, Told, ThreadPoolExecutor]]:
    """Give a batcher, what it told, and threads that ask it; at its end all have ended."""
    told = Told()
    batcher = Batcher(network, Pace(**{"wait_ms": 0.0, **pace}), told)  # type: ignore[arg-type]
    try:
        with ThreadPoolExecutor(64) as threads:
            try:
                yield batcher, told, threads
            finally:
                network.let()
    finally:
        batcher.close()
        eventually(lambda: not batcher.alive)


def asking(
    batcher: Batcher, threads: ThreadPoolExecutor, rows: Sequence[Sequence[int]], **how: object
) -> Future[list[Logits]]:
    """Ask in a thread, and return when the texts wait or are refused."""
    before, started = batcher.texts, threading.Event()

    def ask() -> list[Logits]:
        started.set()
        return batcher.answer(rows, **how)  # type: ignore[arg-type]

    future = threads.submit(ask)
    eventually(lambda: future.done() or batcher.texts == before + len(rows))
    return future


def test_each_text_has_its_own_answer_in_its_place() -> None:
    with batching(Network(), sessions=2) as (batcher, told, threads):
        asked = [[[n] * (n % 7 + 1), [n, 1]] for n in range(40)]
        found = list(threads.map(batcher.answer, asked))
        assert found == [[(float(n * (n % 7 + 1)),), (float(n + 1),)] for n in range(40)]
        assert (told.texts, told.waiting, told.waited_for) == (80, 0, 80)


def test_what_waits_is_answered_together_sorted_by_length() -> None:
    network = Network(open=False)
    with batching(network, batch_tokens=40) as (batcher, _, threads):
        first = threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        others = [asking(batcher, threads, [[2] * length]) for length in (10, 8, 9, 30)]
        network.let()
        assert first.result() == [(1.0,)]
        assert [other.result() for other in others] == [[(20.0,)], [(16.0,)], [(18.0,)], [(60.0,)]]
        assert [[len(row) for row in batch] for batch in network.batches] == [[1], [8, 9, 10], [30]]


def test_idle_sessions_share_what_waits() -> None:
    network = Network(open=False)
    with batching(network, sessions=2) as (batcher, _, threads):
        answer = threads.submit(batcher.answer, [[1], [2]])
        network.wait_until_begun()
        network.wait_until_begun()
        network.let()
        assert answer.result() == [(1.0,), (2.0,)]
        assert sorted(map(len, network.batches)) == [1, 1]


def test_nothing_waits_for_more_while_no_session_computes() -> None:
    with batching(Network(), wait_ms=1e9) as (batcher, _, _threads):
        assert batcher.answer([[1, 2]]) == [(3.0,)]


def test_while_one_session_computes_the_other_waits_for_a_full_batch() -> None:
    network = Network(open=False)
    with batching(network, sessions=2, wait_ms=1e9, batch_tokens=4) as (batcher, _, threads):
        busy = threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        halves = [asking(batcher, threads, [[2, 2]]), threads.submit(batcher.answer, [[3, 3]])]
        network.wait_until_begun()
        network.let()
        assert [each.result() for each in (busy, *halves)] == [[(1.0,)], [(4.0,)], [(6.0,)]]
        assert network.batches[1:] == [[[2, 2], [3, 3]]]


def test_a_text_that_has_waited_long_enough_goes_without_others() -> None:
    network = Network(open=False)
    with batching(network, sessions=2, wait_ms=5.0, batch_tokens=1_000) as (batcher, _, threads):
        threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        threads.submit(batcher.answer, [[2]])
        network.wait_until_begun()
        assert network.batches == [[[1]], [[2]]]


def test_a_full_queue_refuses_at_once() -> None:
    network = Network(open=False)
    with batching(network, queue=2) as (batcher, told, threads):
        threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        waiting = asking(batcher, threads, [[2], [3]])
        with pytest.raises(RequestRefused, match="than the queue may hold") as refused:
            batcher.answer([[4]])
        assert (refused.value.data["status"], refused.value.data["code"]) == (503, "overloaded")
        assert refused.value.data["headers"] == {"Retry-After": "1"}
        assert (told.refused, told.waiting) == (1, 2)
        patient = asking(batcher, threads, [[5], [6]], patient=True)
        network.let()
        assert (waiting.result(), patient.result()) == ([(2.0,), (3.0,)], [(5.0,), (6.0,)])


def test_what_is_too_late_is_not_computed() -> None:
    network = Network(open=False)
    with batching(network, batch_tokens=1) as (batcher, told, threads):
        busy = threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        with pytest.raises(RequestRefused, match="before its deadline") as refused:
            batcher.answer([[2], [3]], deadline=time.monotonic() + 0.01)
        assert (refused.value.data["status"], refused.value.data["code"]) == (503, "deadline_exceeded")
        assert (batcher.texts, told.late, told.waiting) == (0, 2, 0)
        network.let()
        assert busy.result() == [(1.0,)]
        assert batcher.answer([[4]]) == [(4.0,)]
        assert network.batches == [[[1]], [[4]]]


def test_a_text_that_the_model_fails_at_is_the_misfortune_of_its_request_only() -> None:
    network = Network(open=False, breaks_at=666)
    with batching(network) as (batcher, told, threads):
        threads.submit(batcher.answer, [[1]])
        network.wait_until_begun()
        good = [asking(batcher, threads, [[number]]) for number in range(3)]
        bad = asking(batcher, threads, [[5], [666]])
        network.let()
        assert [each.result() for each in good] == [[(0.0,)], [(1.0,)], [(2.0,)]]
        with pytest.raises(RequestRefused, match="failed at a text of this request") as refused:
            bad.result()
        assert (refused.value.data["status"], refused.value.data["code"]) == (500, "model_failed")
        assert (told.failed, told.waiting) == (1, 0)
        assert batcher.answer([[7]]) == [(7.0,)]


def test_of_a_request_that_failed_nothing_more_is_computed() -> None:
    network = Network(breaks_at=666)
    with batching(network, batch_tokens=1) as (batcher, told, _threads):
        with pytest.raises(RequestRefused, match="failed at a text"):
            batcher.answer([[666], *([number] for number in range(50))])
        eventually(lambda: batcher.texts == 0)
        assert len(network.batches) < 50
        assert told.waiting == 0


def test_what_waits_when_it_is_closed_is_answered_and_then_its_threads_end() -> None:
    network = Network(open=False)
    with batching(network, sessions=2, batch_tokens=1) as (batcher, _, threads):
        answers = threads.submit(batcher.answer, [[number] for number in range(20)])
        network.wait_until_begun()
        batcher.close()
        assert batcher.alive
        network.let()
        assert answers.result() == [(float(number),) for number in range(20)]
        eventually(lambda: not batcher.alive)


def test_a_large_request_holds_up_others_by_one_text() -> None:
    network = Network(open=False)
    with batching(network, batch_tokens=1) as (batcher, _, threads):
        large = threads.submit(batcher.answer, [[1]] * 100)
        network.wait_until_begun()
        small = asking(batcher, threads, [[2]])
        network.let()
        assert small.result() == [(2.0,)]
        assert large.result() == [(1.0,)] * 100
        assert network.batches.index([[2]]) <= 2


def test_nothing_asked_is_nothing_answered() -> None:
    with batching(Network()) as (batcher, _, _threads):
        assert batcher.answer([]) == []

"""Texts wait in a fair order, and no more of them than the queue may hold."""

import pytest

from assay.service.microbatching.queue import SHARE, WINDOW, TextQueue
from assay.service.microbatching.ticket import Ticket

PLENTY = 10_000


def ticket(*lengths: int) -> Ticket:
    """Return a request whose texts have so many tokens."""
    return Ticket([[7] * length for length in lengths])


def queue_of(*tickets: Ticket, length: int = 100) -> TextQueue:
    """Return a queue in which requests wait."""
    queue = TextQueue(length)
    for each in tickets:
        queue.join(each)
    return queue


def taken(queue: TextQueue, *tickets: Ticket, budget: int = PLENTY, most: int = 1) -> list[tuple[int, int]]:
    """Return all batches one after another: the number of each text's request, and its own."""
    found = []
    while queue:
        found += [(tickets.index(place.ticket), place.at) for place in queue.take(budget, most)]
    return found


def test_requests_take_turns() -> None:
    large, one, two = ticket(5, 5, 5, 5), ticket(5), ticket(5, 5)
    queue = queue_of(large, one, two)
    assert taken(queue, large, one, two) == [(0, 0), (1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (0, 3)]


def test_who_comes_while_a_large_request_is_answered_is_behind_one_text_of_it() -> None:
    large, late = ticket(*[5] * 1_000), ticket(5)
    queue = queue_of(large)
    queue.take(PLENTY, 1)
    queue.join(late)
    order = [queue.take(PLENTY, 1)[0].ticket for _ in range(2)]
    assert order == [large, late]


def test_a_batch_is_the_first_text_and_those_nearest_to_it_in_length() -> None:
    first, far, near, nearer = ticket(10), ticket(40), ticket(12), ticket(9)
    queue = queue_of(first, far, near, nearer)
    batch = queue.take(36, 10)
    assert [place.ticket for place in batch] == [nearer, first, near]
    assert queue.texts == 1


@pytest.mark.parametrize(
    ("budget", "most", "sizes"),
    [(20, 10, [2, 2, 1]), (10, 10, [1] * 5), (5, 10, [1] * 5), (PLENTY, 3, [3, 2])],
)
def test_a_batch_keeps_to_its_budget_and_its_number(budget: int, most: int, sizes: list[int]) -> None:
    queue, found = queue_of(ticket(10, 10, 10, 10, 10)), []
    while queue:
        found.append(len(queue.take(budget, most)))
    assert found == sizes


def test_a_text_far_behind_waits_for_its_turn_however_well_it_would_fit() -> None:
    queue = queue_of(ticket(10), *(ticket(50) for _ in range(WINDOW - 1)), ticket(10))
    assert [len(place.row) for place in queue.take(20, 2)] == [10]


def test_a_queue_takes_as_much_as_it_may_hold() -> None:
    queue = queue_of(ticket(5, 5), length=3)
    assert (queue.takes(1), queue.takes(2)) == (True, False)


def test_of_one_request_a_share_counts() -> None:
    queue = queue_of(ticket(*[5] * 1_000), length=SHARE + 1)
    assert (queue.texts, queue.takes(1), queue.takes(2)) == (1_000, True, False)


def test_an_empty_queue_takes_any_request() -> None:
    assert TextQueue(1).takes(1_000)


def test_who_leaves_is_not_computed() -> None:
    late, other = ticket(5, 5, 5), ticket(5)
    queue = queue_of(late, other)
    queue.take(PLENTY, 1)
    assert (queue.leave(late), queue.texts) == (2, 1)
    assert queue.leave(late) == 0
    assert [place.ticket for place in queue.take(PLENTY, 9)] == [other]
    assert not queue


def test_the_front_is_told_in_tokens_and_by_age() -> None:
    first = ticket(5, 6)
    queue = queue_of(first, *(ticket(1) for _ in range(100)))
    assert queue.tokens() == 5 + 63
    assert queue.oldest == first.since

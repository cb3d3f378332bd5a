"""Texts that wait for a model: in a fair order, and no more than a queue may hold."""

from collections import OrderedDict
from collections.abc import Iterator

from assay.service.microbatching.ticket import Place, Ticket

SHARE = 16
"""Texts of one request that count for the length of the queue: a request with a thousand texts must fit, and
what waits behind it gets its turn after one of them."""

WINDOW = 64
"""Texts from the front of the queue among which those of about the same length are looked for."""


class TextQueue:
    """The texts that wait, taken in turns: of each request one, then of each its second.

    So one large request holds up nobody by more than one text for each batch. Not safe for threads: whoever
    has one holds a lock.

    Parameters
    ----------
    length
        Texts that may wait, ``SHARE`` of one request at most being counted.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._tickets: OrderedDict[Ticket, None] = OrderedDict()
        self.texts = 0
        """Texts that wait."""

    def __bool__(self) -> bool:
        return bool(self._tickets)

    def takes(self, texts: int) -> bool:
        """Return whether there is room for a request with so many texts; an empty queue has room for any."""
        counted = sum(min(len(ticket.left), SHARE) for ticket in self._tickets)
        return not counted or counted + min(texts, SHARE) <= self._length

    def join(self, ticket: Ticket) -> None:
        """Let a request wait."""
        self._tickets[ticket] = None
        self.texts += len(ticket.left)

    def leave(self, ticket: Ticket) -> int:
        """Let a request wait no more; return how many texts of it nobody had taken."""
        if ticket not in self._tickets:
            return 0
        del self._tickets[ticket]
        left, ticket.left = len(ticket.left), []
        self.texts -= left
        return left

    @property
    def oldest(self) -> float:
        """When the request came that is next, on the monotonic clock."""
        return next(iter(self._tickets)).since

    def tokens(self) -> int:
        """Return how many tokens the texts in front have, ``WINDOW`` texts at most."""
        return sum(len(place.row) for place in self._front())

    def take(self, budget: int, most: int) -> list[Place]:
        """Return the texts of the next batch, sorted by length, and take them out.

        They are the first in the line, and of the ``WINDOW`` in front those nearest to it in length:
        ``most`` at most, and as many as keep their number times the longest within ``budget`` tokens.
        """
        front = list(self._front())
        first, size = front[0], len(front[0].row)
        nearest = sorted(front[1:], key=lambda place: abs(len(place.row) - size))
        chosen, longest = [first], size
        for place in nearest:
            longer = max(longest, len(place.row))
            if len(chosen) >= most or (len(chosen) + 1) * longer > budget:
                break
            chosen.append(place)
            longest = longer
        self._remove(chosen)
        return sorted(chosen, key=lambda place: len(place.row))

    def _front(self) -> Iterator[Place]:
        """Yield the texts in their order: the first that each request has left, then the second of each."""
        seen, turn, found = 0, 0, True
        while found:
            found = False
            for ticket in self._tickets:
                if turn < len(ticket.left):
                    found = True
                    yield Place(ticket, ticket.left[turn])
                    seen += 1
                    if seen >= WINDOW:
                        return
            turn += 1

    def _remove(self, places: list[Place]) -> None:
        self.texts -= len(places)
        for ticket, at in places:
            ticket.left.remove(at)
        for ticket in dict.fromkeys(place.ticket for place in places):
            if ticket.left:
                self._tickets.move_to_end(ticket)
            else:
                del self._tickets[ticket]

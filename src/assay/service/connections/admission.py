"""Whether one more request may be taken on, decided from how busy the process is."""

from dataclasses import dataclass

from assay.service.limits import FEW_IN_FLIGHT, Limits

EXEMPT = ("/health", "/metrics", "/v1/admin/")
"""Beginnings of the paths that are never turned away: operators need them most when the service is busy."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a process is at one moment.

    ``delay`` is the time that the event loop was late, ``waited`` that for which this request has waited
    in the process, both in seconds. ``in_flight`` counts the requests that came whole and have no answer
    yet, ``crowded`` says that there are more connections than the limit. ``lined_up`` counts the plain ones
    that wait for the shortcut, which takes them on for as long as nobody there has waited too long.
    """

    delay: float
    waited: float
    in_flight: int
    crowded: bool = False
    lined_up: int = 0


def is_exempt(path: str) -> bool:
    """Return True for the calls that are answered however busy the process is."""
    return path.startswith(EXEMPT)


def reason_to_refuse(load: Load, limits: Limits) -> str:
    """Return why a request is to be turned away, in one word; empty when it may come in.

    Whatever is taken on is answered within the time that those before it take, so each of these bounds the
    time that an accepted request waits; refused early, a request costs a fraction of its answer.
    """
    if load.crowded:
        return "connections"
    if load.in_flight + load.lined_up < FEW_IN_FLIGHT:
        # Then nobody waits for requests, and refusing one would shorten no delay.
        return ""
    longest = limits.max_delay_ms / 1_000
    if load.in_flight >= limits.max_in_flight:
        return "in_flight"
    if load.delay > longest:
        return "delay"
    if load.waited > longest:
        return "waiting"
    return ""

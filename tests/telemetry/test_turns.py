"""Work that is done again and again in a thread of its own."""

import threading
import time

from assay.telemetry.turns import taking_turns


def test_turns_are_taken_as_they_say_until_the_block_ends() -> None:
    taken: list[str] = []
    third = threading.Event()

    def turn() -> float:
        taken.append(threading.current_thread().name)
        if len(taken) == 3:
            third.set()
            return 60.0
        return 0.001

    with taking_turns("some work", turn, 0.001):
        assert third.wait(20)
    assert taken == ["some work"] * 3
    assert "some work" not in {thread.name for thread in threading.enumerate()}


def test_a_block_that_ends_before_the_first_turn_has_none() -> None:
    taken: list[int] = []

    def turn() -> float:
        taken.append(1)
        return 1.0

    with taking_turns("some work", turn, 60.0):
        pass
    assert taken == []


def test_the_end_waits_for_the_turn_under_way() -> None:
    begun = threading.Event()
    ended: list[int] = []

    def turn() -> float:
        begun.set()
        time.sleep(0.05)
        ended.append(1)
        return 60.0

    with taking_turns("some work", turn, 0.0):
        assert begun.wait(20)
    assert ended == [1]

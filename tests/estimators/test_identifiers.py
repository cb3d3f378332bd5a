"""Identifiers are UUIDs of version 7: no two alike, in any thread or process, and in the order of time."""

import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.estimators.identifiers import DRAWN, new_id, new_ids, time_of

FORKING = """
import os
from assay.estimators.identifiers import new_id

new_id()
reader, writer = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.write(writer, " ".join(new_id() for _ in range(200)).encode() + b" ")
        os._exit(0)
    os.wait()
    os.write(writer, " ".join(new_id() for _ in range(200)).encode())
    os._exit(0)
os.wait()
os.close(writer)
with os.fdopen(reader) as given:
    print(given.read(), *(new_id() for _ in range(200)))
"""


@pytest.mark.parametrize("ids", [[new_id()], new_ids(1), new_ids(3)], ids=["one", "a list of one", "three"])
def test_an_identifier_is_a_uuid_of_version_7(ids: list[str]) -> None:
    for each in ids:
        read = uuid.UUID(each)
        assert (read.hex, read.version, read.variant) == (each, 7, uuid.RFC_4122)


def test_no_two_are_alike_over_threads_and_ways_of_asking() -> None:
    def draw(number: int) -> list[str]:
        return [new_id() for _ in range(DRAWN)] + new_ids(number) + new_ids(1)

    with ThreadPoolExecutor(8) as pool:
        drawn = [each for ids in pool.map(draw, range(40)) for each in ids]
    assert len(set(drawn)) == len(drawn) == 40 * (DRAWN + 1) + sum(range(40))


def test_no_two_are_alike_over_forks() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True)
    # What follows the time must differ by itself: processes draw in one millisecond, too.
    tails = [each[12:] for each in done.stdout.split()]
    assert len(set(tails)) == len(tails) == 600


def test_random_digits_differ_in_every_place_but_that_of_the_version() -> None:
    ids = new_ids(500) + [new_id() for _ in range(500)]
    seen = [{each[place] for each in ids} for place in range(12, 32)]
    assert [len(digits) for digits in seen] == [1, 16, 16, 16, 4, *[16] * 15]
    assert seen[4] == set("89ab")


def test_they_say_when_they_were_made_and_sort_by_it() -> None:
    ids: list[str] = []
    for _ in range(5):
        before = time.time_ns() // 1_000_000 / 1000
        made = sorted([new_id(), *new_ids(1), *new_ids(20)])
        after = time.time_ns() // 1_000_000 / 1000
        assert all(before <= (time_of(each) or 0) <= after for each in made)
        ids += made
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_none_are_made_where_none_are_wanted() -> None:
    assert new_ids(0) == []

"""Counting in memory and in a shared file gives what the algorithm gives, for every process of a machine."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.access import LocalCounting, MachineCounting, Rate, SharedCounting, shared, shared_file, take
from assay.access.shared import BUCKETS, SIZE, WAYS
from assay.exceptions import ConfigError
from tests.access.counters import SECOND, Ticks, counted_by_processes

ASKED = st.lists(
    st.tuples(
        st.sampled_from(["key:1", "key:2", "address:192.0.2.1", "address:\ud800", ""]),
        st.sampled_from([Rate(3, 1), Rate(10, 60), Rate(2, 86_400)]),
        st.integers(-5 * SECOND, 20 * SECOND),
        st.sampled_from([1, 1, 1, 0]),
    ),
    max_size=80,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file to count in that does not exist yet."""
    return tmp_path / "rates"


@pytest.fixture(params=["local", "shared"])
def ticking(request: pytest.FixtureRequest, path: Path) -> Iterator[tuple[MachineCounting, Ticks]]:
    """Each kind of counting of one machine, with its clock."""
    ticks = Ticks()
    if request.param == "local":
        yield LocalCounting(clock=ticks), ticks
        return
    counting = SharedCounting(path, clock=ticks)
    yield counting, ticks
    counting.close()


@given(asked=ASKED)
@settings(max_examples=60)
@pytest.mark.parametrize("kind", ["local", "shared"])
def test_every_verdict_is_that_of_the_algorithm(kind: str, asked: list[tuple[str, Rate, int, int]]) -> None:
    ticks, known = Ticks(), dict[str, int]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rates"
        counting = LocalCounting(clock=ticks) if kind == "local" else SharedCounting(path, clock=ticks)
        for subject, rate, pause, cost in asked:
            ticks.now = max(0, ticks.now + pause)
            arrival, verdict = take(known.get(subject, 0), ticks.now, rate, cost=cost)
            assert counting.take_now(subject, rate, cost=cost) == verdict
            if cost:
                known[subject] = arrival
        if isinstance(counting, SharedCounting):
            counting.close()


def test_subjects_are_counted_apart(ticking: tuple[MachineCounting, Ticks]) -> None:
    counting, _ = ticking
    one = Rate(1, 60)
    assert [counting.take_now(name, one).allowed for name in ("a", "b", "a", "b")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_memory_of_one_process_is_bounded() -> None:
    ticks = Ticks()
    counting = LocalCounting(clock=ticks, subjects=3)
    for name in "abcd":
        counting.take_now(name, Rate(1, 60))
    assert counting.take_now("a", Rate(1, 60)).allowed
    assert not counting.take_now("d", Rate(1, 60)).allowed


def test_a_full_bucket_forgets_who_is_nearest_to_being_free(path: Path) -> None:
    counting = SharedCounting(path, clock=Ticks())
    counting.take_now("long", Rate(1, 86_400))
    for number in range(3 * BUCKETS * WAYS):
        counting.take_now(f"address:{number}", Rate(2, 1))
    assert not counting.take_now("long", Rate(1, 86_400)).allowed
    assert path.stat().st_size == SIZE
    counting.close()


def test_two_that_open_one_file_share_a_limit_also_after_a_restart(path: Path) -> None:
    first, second = SharedCounting(path), SharedCounting(path)
    rate = Rate(2, 86_400)
    assert first.take_now("key:1", rate).allowed
    first.close()
    assert second.take_now("key:1", rate).remaining == 0
    second.close()
    again = SharedCounting(path)
    assert not again.take_now("key:1", rate).allowed
    again.close()


def test_one_limit_holds_over_four_processes(path: Path) -> None:
    assert sum(counted_by_processes(path, "4000/s", 2_000, 4)) == 4_000


def test_a_process_that_stops_while_it_counts_holds_nobody_up_for_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a busy machine stands still between two of these lines.
    monkeypatch.setattr(shared, "ALONE_SECONDS", 600.0)
    counting = SharedCounting(path)
    other = os.open(path, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    started = time.monotonic()
    assert [counting.take_now("key:1", Rate(2, 60)).allowed for _ in range(3)] == [True, True, False]
    os.close(other)
    assert not counting.take_now("key:1", Rate(2, 60)).allowed
    monkeypatch.setattr(time, "monotonic", lambda: started + 1_200)
    assert counting.take_now("key:1", Rate(2, 60)).remaining == 1
    counting.close()


def test_a_file_of_another_size_is_begun_anew(path: Path) -> None:
    path.write_bytes(b"\xff" * 100)
    counting = SharedCounting(path)
    assert counting.take_now("key:1", Rate(2, 60)).remaining == 1
    counting.close()


def test_a_file_that_is_filled_with_anything_still_counts(path: Path) -> None:
    path.write_bytes(b"\xff" * (SIZE // 2) + b"\x7f" * (SIZE // 2))
    counting = SharedCounting(path)
    for number in range(50):
        assert counting.take_now(f"key:{number}", Rate(1, 60)).allowed
        assert not counting.take_now(f"key:{number}", Rate(1, 60)).allowed
    counting.close()


def test_a_link_or_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path, path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="cannot be counted for all workers in"):
        SharedCounting(path)
    assert not (tmp_path / "elsewhere").exists()
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="Remove what is there"):
        SharedCounting(path)


def test_a_file_of_another_user_is_refused(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    path.write_bytes(b"")
    os.chown(path, 1, 1)
    with pytest.raises(ConfigError, match="not a file of this user's own"):
        SharedCounting(path)


def test_each_home_folder_has_a_file_of_its_own(tmp_path: Path) -> None:
    one, two = (shared_file(tmp_path / name) for name in ("one", "two"))
    assert one != two
    assert one == shared_file(tmp_path / "one")
    assert one.parent in (Path("/dev/shm"), tmp_path / "one")

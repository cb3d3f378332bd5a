"""Work that nobody has to wait for."""

import subprocess
import sys
import threading

import anyio
import pytest

from assay.service import Detached


def test_the_result_comes_when_it_is_there() -> None:
    async def main() -> int:
        return await Detached(lambda: 7).finished()

    assert anyio.run(main) == 7


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    def fail() -> None:
        raise OSError("no disk")

    work = Detached(fail)
    assert work.wait(20)
    with pytest.raises(OSError, match="no disk"):
        work.result()


def test_who_gives_up_does_not_stop_it() -> None:
    go_on, done = threading.Event(), threading.Event()

    async def main() -> bool:
        with anyio.move_on_after(0.05) as scope:
            await Detached(lambda: (go_on.wait(20), done.set())).finished()
        return scope.cancelled_caught

    assert anyio.run(main)
    go_on.set()
    assert done.wait(20)


def test_a_process_does_not_wait_for_it() -> None:
    program = "import time\nfrom assay.service import Detached\nDetached(lambda: time.sleep(600)).wait(0.1)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0

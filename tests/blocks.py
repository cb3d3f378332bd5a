"""The code blocks of a page, run in their order as a reader would run them."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from assay.cli import main
from tests.servers import free_port

FENCED = re.compile(r"^(?:<!-- exit: (\d) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = ("make ", ". .venv/bin/activate", "git clone ", "cd ")
"""Commands that put Assay in place: here it is."""
OPERATORS = set("|<>;&()")
START_SECONDS = 60

FREE = re.compile(
    r"(?<![.\w])[0-9a-f]{12,64}\b|\d{4}-\d\d-\d\d[T ][\d:.]+(?:\+00:00|Z)?|\s*\d+\.\d u?s\b|(?<= by )\S+@\S+"
)
"""What differs from run to run: ids and digests, times, durations, and whose machine it is."""
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@dataclass(frozen=True)
class Block:
    """One fenced block, the line it starts on, and the exit code that its last command must have."""

    language: str
    text: str
    line: int
    exit: int

    def commands(self) -> list[str]:
        """Return the commands of a shell block; one with a here-document is a single command."""
        if "<<" in self.text:
            return [self.text]
        joined = self.text.replace("\\\n", " ").splitlines()
        return [line.strip() for line in joined if line.strip() and not line.startswith("#")]


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(found[2], found[3], page.count("\n", 0, found.start(2)) + 1, int(found[1] or 0))
        for found in FENCED.finditer(page)
    ]


@dataclass
class Session:
    """A folder in which blocks are run: one after another, and one service at a time."""

    folder: Path
    port: int = field(default_factory=free_port)
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    service: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ASSAY_", "MLFLOW_"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ASSAY_PORT": str(self.port),
            # What a page shows of a swap comes of its own request to look, not of a look just before.
            "ASSAY_POLL_SECONDS": "3600",
        }
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        self._stop()

    def run(self, block: Block) -> str | None:
        """Run a block and return all that it wrote, None when it only sets up.

        An exit code other than the block's fails.
        """
        if block.language == "python":
            with captured() as stream:
                exec(compile(block.text, f"line {block.line}", "exec"), self.names)
            return written(stream)
        commands = [one for one in block.commands() if not one.startswith(SET_UP)]
        output = ""
        for number, command in enumerate(commands, start=1):
            code, said = self._command(command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}"))
            output += said
            expected = block.exit if number == len(commands) else 0
            assert code == expected, f"line {block.line}: {command!r} exited with {code}:\n{said}"
        return output.replace(f"127.0.0.1:{self.port}", "127.0.0.1:8000") if commands else None

    def _command(self, command: str) -> tuple[int, str]:
        if command == "assay serve":
            return self._serve()
        words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
        if words[0] == "assay" and not any(set(word) <= OPERATORS for word in words):
            return in_process(shlex.split(command)[1:])
        done = subprocess.run(
            ["sh", "-eu", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def _serve(self) -> tuple[int, str]:
        """Start the service in place of the one before, as a reader does with Ctrl+C."""
        self._stop()
        command = [sys.executable, "-m", "assay.cli", "serve"]
        log = self.folder / "service.log"
        with log.open("wb") as output:
            self.service = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.service.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/health/live").is_success:
                    return 0, ""
            time.sleep(0.1)
        return 1, log.read_text(encoding="utf-8")

    def _stop(self) -> None:
        if self.service is not None:
            self.service.terminate()
            self.service.wait(timeout=30)


def in_process(arguments: list[str]) -> tuple[int, str]:
    """Run one command here: importing MLflow anew for each would take most of the time."""
    with captured() as stream:
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, written(stream)


@contextlib.contextmanager
def captured() -> Iterator[io.TextIOWrapper]:
    """Collect what is written to standard output and error, in one stream as on a terminal."""
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield stream


def written(stream: io.TextIOWrapper) -> str:
    """Return all that was written to a stream of ``captured``."""
    stream.seek(0)
    return stream.read()


def differences(shown: str, output: str) -> list[str]:
    """Return the lines of a shown output that were not written in their order, and those not shown.

    ``...`` stands for any lines, ids and times for any others; decimal numbers may differ a little.
    """
    lines, missing, anywhere = iter(output.splitlines()), [], False
    for line in shown.splitlines():
        if line.strip() == "...":
            anywhere = True
            continue
        seen = next((one for one in lines if not anywhere or alike(line, one)), "")
        if not alike(line, seen):
            missing.append(f"shown {line!r}, written {seen!r}")
        anywhere = False
    return missing + [f"written {line!r}, not shown" for line in lines if not anywhere]


def alike(shown: str, seen: str) -> bool:
    """Return whether two lines say the same but for ids, times and small differences of numbers."""
    # The width of a column follows its longest cell, which may be a time.
    shown, seen = (" ".join(FREE.sub(" #", line).split()) for line in (shown, seen))
    if NUMBER.sub("#", shown) != NUMBER.sub("#", seen):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(seen), strict=True)
    return all(abs(float(a) - float(b)) <= 0.02 for a, b in pairs)

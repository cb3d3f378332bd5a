"""The commands of a runbook, run in their order as an operator types them, beside a real service."""

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assay.migrations import MIGRATIONS
from tests.blocks import in_process
from tests.conftest import PLACES
from tests.contracts.sources import ROOT
from tests.running import unmeasured
from tests.servers import free_port

FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "index.md")
FENCED = re.compile(r"^( *)```sh(?: (\w+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Step:
    """The commands of one block, and where they are for: empty for this machine, compose, kubernetes."""

    text: str
    where: str

    @property
    def lines(self) -> list[str]:
        """The commands, one a line."""
        return [line for line in self.text.splitlines() if line]


def steps_of(page: Path) -> list[Step]:
    """Return the blocks of shell commands of a page."""
    found = FENCED.finditer(page.read_text(encoding="utf-8"))
    return [Step(textwrap.dedent(each[3]), each[2] or "") for each in found]


@dataclass
class Night:
    """A machine with a home folder, a place for backups, and one service at a time.

    ``swaps`` says what of a page stands for something else here.
    """

    folder: Path
    swaps: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    service: "subprocess.Popen[bytes] | None" = None
    starts: int = 0

    def __post_init__(self) -> None:
        self.home, self.backups, self.work = (self.folder / name for name in ("home", "backups", "work"))
        for made in (self.home, self.backups, self.work):
            made.mkdir()
        ours = ("ASSAY_", "MLFLOW_")
        kept = {name: each for name, each in unmeasured().items() if not name.startswith(ours)}
        self.environment = kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "ASSAY_HOME": str(self.home),
            "ASSAY_PORT": str(self.port),
            "ASSAY_POLL_SECONDS": "0.2",
            "ASSAY_USER": "night",
            "TMPDIR": str(self.folder),
        }
        self.swaps = {
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
            "/backups": str(self.backups),
            "/var/lib/assay": str(self.home),
            **self.swaps,
        }

    @property
    def address(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the service that was started last has said."""
        return (self.folder / f"service-{self.starts}.log").read_text(encoding="utf-8", errors="replace")

    def follow(self, page: str) -> "Page":
        """Return a page, whose steps for this machine can be taken."""
        return Page(self, [step for step in steps_of(FOLDER / f"{page}.md") if not step.where])

    def run(self, step: Step, code: int = 0) -> str:
        """Run a block and return what it wrote; a service is left running. Fails with another exit code."""
        [first, *_] = step.lines
        if first.startswith("assay serve"):
            assert step.lines == [first], "a service is a block of its own"
            return self.serve(*shlex.split(self._here(first))[2:])
        given = shlex.split(self._here(first))[1:]
        # Importing all anew for each takes most of the time; another release has to be imported anew.
        if plain(step) and "PYTHONPATH" not in self.environment:
            done_code, said = self._in_process(given)
            assert done_code == code, f"exit code {done_code}: {given}\n{said}"
            return said
        script = f"set -euo pipefail\n{self._here(step.text)}\nexport -p > {self.folder}/exported\n"
        done = subprocess.run(
            ["bash", "-ac", script], cwd=self.work, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == code, f"exit code {done.returncode}:\n{script}{done.stdout}{done.stderr}"
        if code == 0:
            self._remember()
        return done.stdout + done.stderr

    def _in_process(self, given: list[str]) -> tuple[int, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("ASSAY_", "MLFLOW_"))]:
                patch.delenv(name)
            for name, value in self.environment.items():
                if name.startswith("ASSAY_"):
                    patch.setenv(name, value)
            patch.chdir(self.work)
            return in_process(given)

    def serve(self, *arguments: str) -> str:
        """Start the service, when the one before has ended, and wait until all workers are ready."""
        if self.service is not None:
            self.service.wait(PATIENCE_SECONDS)
        self.starts += 1
        command = [sys.executable, "-m", "assay.cli", "serve", *arguments]
        with (self.folder / f"service-{self.starts}.log").open("wb") as log:
            self.service = subprocess.Popen(
                command, cwd=self.work, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.ready(int(arguments[arguments.index("--workers") + 1]) if "--workers" in arguments else 1)
        return self.log

    def ready(self, workers: int) -> None:
        """Wait until so many workers have started."""
        self.until(lambda: self.log.count("startup complete") >= workers)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; a service that ends meanwhile fails."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.service is None or self.service.poll() is None, self.log
            assert time.monotonic() < deadline, f"it never became so\n{self.log if self.starts else ''}"
            time.sleep(0.05)

    def children(self) -> list[int]:
        """Return the process ids of the workers."""
        assert self.service is not None
        pid = self.service.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self) -> None:
        """End the service at once, if one runs."""
        if self.service is not None and self.service.poll() is None:
            self.service.send_signal(signal.SIGINT)
            self.service.wait(PATIENCE_SECONDS)

    def _here(self, text: str) -> str:
        swaps = self.swaps
        if self.service is not None:
            swaps = {**swaps, "pgrep -of 'assay serve'": f"echo {self.service.pid}"}
        for shown, meant in swaps.items():
            text = text.replace(shown, meant)
        return re.sub(r"\$\{?(\w+)\}?", self._known, text) if text.startswith("assay serve") else text

    def _known(self, name: "re.Match[str]") -> str:
        return self.environment[name[1]]

    def _remember(self) -> None:
        exported = (self.folder / "exported").read_text(encoding="utf-8")
        for name, value in re.findall(r'^declare -x (\w+)="((?:[^"\\]|\\.)*)"$', exported, re.MULTILINE):
            self.environment[name] = re.sub(r"\\(.)", r"\1", value)


def plain(step: Step) -> bool:
    """Return whether a block is one command of Assay, with nothing for a shell to do."""
    return len(step.lines) == 1 and re.fullmatch(r"assay [^|<>;&$*`]+", step.lines[0]) is not None


@dataclass
class Page:
    """A runbook that is followed step by step."""

    night: Night
    steps: list[Step]

    def step(self, begins: str, *, code: int = 0) -> str:
        """Take the next step, which begins with these words, and return what it wrote."""
        step = self.steps.pop(0)
        assert step.text.startswith(begins), f"the page has {step.text!r} here"
        return self.night.run(step, code)

    def done(self) -> None:
        """Fail when there are steps that were not taken."""
        assert self.steps == []


@contextmanager
def night(folder: Path) -> Iterator[Night]:
    """Yield a machine whose service is ended afterwards."""
    here = Night(folder)
    try:
        yield here
    finally:
        here.stop()


def move_in(stocked: Path, home: Path) -> None:
    """Give a home folder the registry of another, with files of its own."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    shutil.copytree(stocked, home, dirs_exist_ok=True)
    with closing(sqlite3.connect(home / "mlflow.db", isolation_level=None)) as database:
        for table, column in PLACES:
            moved = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            database.execute(moved, (str(stocked), str(home)))
    _artifact_repos_cache.clear()  # where a run's files are, by the id that both have


def newer_assay(folder: Path, needs: str) -> Path:
    """Return a folder with an Assay that has one migration more, which needs what is said, to be imported."""
    source = ROOT / "src" / "assay"
    shutil.copytree(source, folder / "assay")
    path = folder / "assay" / "migrations.py"
    text = path.read_text(encoding="utf-8")
    added = "ALTER TABLE keys ADD COLUMN owner TEXT DEFAULT ''\", \"CREATE TABLE purposes (name TEXT)"
    step = f'    Migration({MIGRATIONS[-1].number + 1}, "owners", ("{added}",), ("{added}",), {needs}),\n'
    assert text.count('\n)\n"""Applied') == 1
    path.write_text(text.replace('\n)\n"""Applied', f'\n{step})\n"""Applied'), encoding="utf-8")
    return folder

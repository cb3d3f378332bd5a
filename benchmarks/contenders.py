"""The servers that are measured side by side: Assay, and the peers of ``../shared/bench``.

A folder there, read at run time, holds ``peer.py``, which says how its server is started, asked and
understood; its README tells the form. Each has an environment of its own, which
``python -m benchmarks.contenders`` makes, with packages from the registry that pip uses.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.sets import ROOT
from benchmarks.subject import WORK, Sets, Subject, pipeline_in

PEERS = ROOT.parent / "shared" / "bench"
CONSTANT = "floor-fastapi-async"
"""The empty endpoint that Assay is held against: FastAPI, ``async def``, one worker, no model."""
PLAIN = "fastapi-1w"
CORE = (CONSTANT, "floor-starlette-uvicorn", "floor-asgi-uvicorn", PLAIN)
FOLDERS = ("floor", "fastapi_sync", "mlserver_v2", "lit", "mlflow_serve", "bento")
OTHERS = ("mlserver-proba", "litserve-1w", "mlflow-pyfunc", "bentoml-1w")
"""The best of each other peer with one worker, measured where they are asked for."""
IN_FLIGHT = 256
"""Requests that a worker takes at once: more than the load has connections, so that none is turned away."""
DELAY_MS = 1_000.0
"""How long they may wait, so that none is turned away after a pause of the machine, which ends the run."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """How a server is started, asked and understood.

    ``{port}`` stands for the port in the command and the environment. ``sets`` holds the answers that it must
    give; ``checked`` is false where it has no model.
    """

    name: str
    command: Sequence[str]
    path: str
    sets: Sets
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[str], object] = lambda text: {"text": text}
    parse: Callable[[Any], tuple[str, float]] = lambda answer: (answer["label"], answer["probability"])
    checked: bool = True
    before: Sequence[str] = ()
    """A command that is run before each start."""
    folder: Path = ROOT


def assay(subject: Subject, *, name: str = "assay", workers: int = 1, **settings: object) -> Contender:
    """Return ``assay serve`` with everything on: keys, rates, decision log, watch on drift, metrics."""
    told: dict[str, object] = {
        "home": subject.settings.home,
        "tasks": subject.settings.tasks,
        "require_keys": True,
        "workers": workers,
        "max_in_flight": IN_FLIGHT,
        "max_delay_ms": DELAY_MS,
        **settings,
    }
    return Contender(
        name=name,
        command=[sys.executable, "-m", "assay.cli", "serve", "--port", "{port}"],
        path="/predict",
        sets=subject.sets,
        environment={f"ASSAY_{key.upper()}": str(value) for key, value in told.items()},
        headers={"Authorization": f"Bearer {subject.key}"},
        parse=lambda answer: (answer["label"], answer["confidence"]),
    )


def peers(names: Sequence[str], work: Path, sets: Sets, *, folder: Path = PEERS) -> list[Contender]:
    """Return the peers of these names, in their order; one that cannot be started is named on stderr."""
    found = {}
    for module, where in modules(folder):
        for name, variant in module.VARIANTS.items():
            if name in names and runnable(work / "peers" / module.VENV, name):
                found[name] = peer(module, where, name, variant, work, sets)
    for name in names:
        if name not in found:
            print(f"Not measured: {name}.", file=sys.stderr)
    return [found[name] for name in names if name in found]


def runnable(environment: Path, name: str) -> bool:
    """Return whether a peer's environment is there, and say what makes it where it is not."""
    if (environment / "bin" / "python").is_file():
        return True
    print(
        f"{name} has no environment {str(environment)!r}; run: python -m benchmarks.contenders",
        file=sys.stderr,
    )
    return False


def modules(folder: Path = PEERS) -> Iterator[tuple[ModuleType, Path]]:
    """Yield each ``peer.py`` of the peers' folder with where it lies; nothing without the folder."""
    if not folder.is_dir():
        print(f"The peers are absent (there is no {folder}).", file=sys.stderr)
    for where in (folder / name for name in FOLDERS if (folder / name / "peer.py").is_file()):
        spec = importlib.util.spec_from_file_location(f"peer_{where.name}", where / "peer.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = writes
        yield module, where


def peer(
    module: ModuleType, where: Path, name: str, variant: Mapping[str, Any], work: Path, sets: Sets
) -> Contender:
    """Return a contender of what a ``peer.py`` says of one of its variants."""

    def filled(words: Sequence[str]) -> list[str]:
        return [fill(word, module, where, work, name) for word in words]

    own = getattr(module, "ENV", {}) | variant.get("env", {})
    return Contender(
        name=name,
        command=filled(variant["cmd"]),
        path=variant["path"],
        sets=sets,
        environment=environment(module, work) | dict(zip(own, filled(list(own.values())), strict=True)),
        body=variant.get("body", module.body),
        parse=variant.get("parse", module.parse),
        checked=getattr(module, "CHECK", True),
        before=filled(variant.get("prepare_start", ())),
        folder=work / "run",
    )


def fill(word: str, module: ModuleType, where: Path, work: Path, name: str) -> str:
    """Return a word of a command with all but the port put in."""
    return word.format(
        bin=work / "peers" / module.VENV / "bin",
        here=where,
        work=work,
        variant=name,
        port="{port}",
        model=pipeline_in(work),
    )


def environment(module: ModuleType, work: Path) -> dict[str, str]:
    """Return the variables that every peer gets; some of them write into their home."""
    (work / "peers-home").mkdir(parents=True, exist_ok=True)
    (work / "run").mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{work / 'peers' / module.VENV / 'bin'}:{os.environ['PATH']}",
        "MODEL": str(pipeline_in(work)),
        "HOME": str(work / "peers-home"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def set_up(work: Path, folders: Sequence[str]) -> int:
    """Make the environments of the peers' folders, and what they need of the fitted pipeline."""
    failed = 0
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "uv"
    for module, where in modules():
        if where.name not in folders:
            continue
        target = work / "peers" / module.VENV
        commands = [
            [uv, "venv", "-q", "--allow-existing", "--python", sys.executable, str(target)],
            [uv, "pip", "install", "-q", "--python", str(target), "-r", str(where / "requirements.txt")],
        ]
        if hasattr(module, "PREPARE"):
            commands.append([fill(word, module, where, work, "") for word in module.PREPARE])
        variables = os.environ | environment(module, work) if hasattr(module, "PREPARE") else None
        codes = [subprocess.run(command, env=variables, check=False).returncode for command in commands]
        failed += any(codes)
        print(f"{where.name}: {'not made' if any(codes) else 'ready'}")
    return failed


def versions(work: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the versions of what the peers of these names run on, by their environment."""
    found = {}
    for module, _ in modules():
        if not set(names) & set(module.VARIANTS):
            continue
        code = (
            "import importlib.metadata as m, json, sys; "
            "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        )
        python = work / "peers" / module.VENV / "bin" / "python"
        done = subprocess.run([python, "-c", code, *module.SHOW], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[module.VENV] = json.loads(done.stdout)
    return found


def main() -> int:
    """Make the peers' environments."""
    parser = argparse.ArgumentParser(
        description="Make the environments of the servers that Assay is compared with."
    )
    parser.add_argument("--work", type=Path, default=WORK, help="folder of all that is made (%(default)s)")
    parser.add_argument(
        "folders", nargs="*", default=["floor", "fastapi_sync"], help=f"of {', '.join(FOLDERS)}"
    )
    options = parser.parse_args()
    return set_up(options.work, options.folders)


if __name__ == "__main__":
    raise SystemExit(main())

"""The programs that check deployment files: those of .venv/deploy, else the machine's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contracts.sources import ROOT

OWN = ROOT / ".venv" / "deploy" / "bin"
PATH = f"{OWN}{os.pathsep}{os.environ['PATH']}"


def needs(*names: str) -> pytest.MarkDecorator:
    """Return the mark of tests that are skipped, by name, where one of these programs is not installed."""
    missing = [name for name in names if shutil.which(name, path=PATH) is None]
    reason = f"{', '.join(missing)} not installed; CONTRIBUTING.md says how (make deploy-tools)"
    return pytest.mark.skipif(bool(missing), reason=reason)


def run(name: str, *arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in this checkout; what it keeps of its own goes into ``home``."""
    program = shutil.which(name, path=PATH)
    assert program is not None, name
    left = {
        key: value for key, value in os.environ.items() if not key.startswith(("ASSAY_", "HELM_", "KUBE"))
    }
    return subprocess.run(
        [program, *map(str, arguments)],
        # actionlint looks for shellcheck there.
        env={
            **left,
            "PATH": PATH,
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "XDG_DATA_HOME": str(home),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def passes(name: str, *arguments: str | Path, home: Path) -> str:
    """Run a program that must find no fault, and return what it wrote to standard output."""
    done = run(name, *arguments, home=home)
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout

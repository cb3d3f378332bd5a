"""Importing Assay is cheap and does nothing."""

import json
import subprocess
import sys
from pathlib import Path

from tests.contracts.sources import SOURCE, module_name

HEAVY = ("numpy", "sklearn", "scipy", "pandas", "mlflow", "torch", "matplotlib", "pyarrow")
SERVING = ("fastapi", "pydantic", "httpx", "safetensors")
MODULES = sorted(
    module_name(path, SOURCE) for path in (SOURCE / "assay").rglob("*.py") if path.name != "__main__.py"
)
LOOK = """
import importlib, json, logging, os, sys, threading, warnings
before = dict(os.environ)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps({
    "heavy": sorted(name for name in json.loads(sys.argv[2]) if name in sys.modules),
    "environment": before != dict(os.environ),
    "files": os.listdir(),
    "threads": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    "log handlers": [str(handler) for handler in logging.getLogger().handlers],
}))
"""


def loaded_by(statement: str, cwd: Path) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after a statement."""
    script = (
        f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_else(tmp_path: Path) -> None:
    assert not loaded_by("import assay", tmp_path) & {*HEAVY, *SERVING}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    statement = (
        "import contextlib\nfrom assay.cli import main\nsys.argv = ['assay', '--help']\n"
        "with contextlib.suppress(SystemExit):\n    main()"
    )
    assert not loaded_by(statement, tmp_path) & {*HEAVY, "fastapi"}


def test_what_goes_back_loads_no_web_client_and_nothing_that_trains(tmp_path: Path) -> None:
    waiting = {"httpx", *HEAVY} - {"numpy"}
    assert not loaded_by("import assay.lifecycle", tmp_path) & waiting


def test_a_loaded_package_would_be_seen(tmp_path: Path) -> None:
    assert "numpy" in loaded_by("import assay\nimport numpy", tmp_path)


def test_importing_every_module_changes_nothing_and_loads_nothing_heavy(tmp_path: Path) -> None:
    waiting = [name for name in HEAVY if name != "numpy"]
    command = [sys.executable, "-B", "-c", LOOK, json.dumps(MODULES), json.dumps(waiting)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    nothing = {"heavy": [], "environment": False, "files": [], "threads": [], "log handlers": []}
    assert json.loads(done.stdout) == nothing

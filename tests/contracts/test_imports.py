"""Importing Assay is cheap and does nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

from assay.estimators import Cascade, OperatingPoint
from tests.conftest import make_task, saved
from tests.contracts.sources import SOURCE, module_name
from tests.encoders import tiny_encoder

HEAVY = (
    *("numpy", "sklearn", "scipy", "pandas", "mlflow", "matplotlib", "pyarrow"),
    *("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers"),
)
SERVING = ("fastapi", "pydantic", "httpx", "safetensors")
IDLE = (
    *(
        "pipeline",
        "evaluation",
        "gate",
        "estimators.training",
        "estimators.importing",
        "estimators.conversion",
    ),
    *("telemetry.decisions.exporting", "telemetry.decisions.erasing", "telemetry.drift.card"),
    *("estimators.selection", "estimators.held_out", "estimators.thresholds.thresholds"),
    *("telemetry.feedback.guards", "datasets", "scoring", "registry.promotion"),
    *("service.schemas", "service.comments"),
)
"""Modules and stages that commands need and a service does not, or not before somebody asks for them."""
PREPARED = {"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""What the process of a service says to its libraries, where the environment says nothing."""
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


def modules_after(statement: str, cwd: Path) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after a statement."""
    script = f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def loaded_by(statement: str, cwd: Path) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after a statement."""
    return {name.split(".")[0] for name in modules_after(statement, cwd)}


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


def test_a_service_that_serves_has_loaded_nothing_that_trains_judges_or_asks_others(
    tmp_path: Path, spam_artifact: Path
) -> None:
    statement = (
        "from assay.asgi import build_app\nfrom assay.settings import Settings\n"
        f"build_app(Settings(models={str(spam_artifact)!r}))"
    )
    loaded = modules_after(statement, tmp_path)
    assert "assay.estimators.linear" in loaded
    assert not {name.split(".")[0] for name in loaded} & ({*HEAVY, "httpx"} - {"numpy"})
    assert "numpy.random" not in loaded
    assert [idle for idle in IDLE for name in loaded if f"{name}.".startswith(f"assay.{idle}.")] == []


def test_a_service_that_serves_an_encoder_has_loaded_nothing_that_trains_one(tmp_path: Path) -> None:
    cascade = Cascade(
        task=make_task("spam", ["ham", "spam"]),
        model=tiny_encoder(("ham", "spam")),
        operating_point=OperatingPoint(threshold=0.5, goal="fixed"),
    )
    folder = saved(cascade, tmp_path / "model")
    statement = (
        "from assay.asgi import build_app\nfrom assay.settings import Settings\n"
        f"build_app(Settings(models={str(folder)!r}))\n"
        f"import assay\nassay.load({str(folder)!r}).decide(['free prize'])"
    )
    loaded = loaded_by(statement, tmp_path)
    assert {"onnxruntime", "tokenizers"} <= loaded
    assert not loaded & ({*HEAVY} - {"numpy", "onnxruntime", "tokenizers"})


def test_preparing_a_service_leaves_what_the_environment_says(tmp_path: Path) -> None:
    program = (
        "import gc, os\nfrom assay.preparing import prepare\nprepare()\n"
        f"print(gc.isenabled(), *(os.environ[name] for name in {list(PREPARED)!r}))"
    )
    for said in ({}, {"OPENBLAS_NUM_THREADS": "3", "PYDANTIC_DISABLE_PLUGINS": "none"}):
        environment = {k: v for k, v in os.environ.items() if k not in PREPARED} | said
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.stdout.split() == ["False", *(PREPARED | said).values()]

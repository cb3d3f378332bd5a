"""Promotion and rollback happen in a process that never imports MLflow."""

import json
import subprocess
import sys

from tests.registry.conftest import Bench

ROLL_BACK = """
import json, sys, time
from pathlib import Path
from assay.database import Database
from assay.registry import Registry
values = json.loads(sys.argv[1])
began = time.perf_counter()
registry = Registry(values["uri"], Path(values["home"]), Database(values["people"]))
registry.rollback(values["model"], who="ann")
took = time.perf_counter() - began
registry.promote(values["model"], "2", who="ann", override="back again")
assert registry.verify().entries == len(registry.history(values["model"]))
heavy = {"mlflow", "sqlalchemy", "sklearn", "scipy", "pandas", "torch", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
print(f"{took:.3f}")
"""


def test_rollback_and_promotion_import_no_training_library(any_bench: Bench) -> None:
    any_bench.register()
    any_bench.register(champion="1")
    any_bench.promote("1")
    any_bench.promote("2")
    values = {"uri": any_bench.uri, "home": str(any_bench.home), "model": any_bench.model}
    values["people"] = f"sqlite:///{any_bench.home / 'assay.db'}"
    command = [sys.executable, "-W", "error", "-c", ROLL_BACK, json.dumps(values)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(f"rollback: {done.stdout.strip()} s")  # pytest -s shows it
    assert any_bench.states()["2"] == ("Production", ("production",))

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.exceptions import RegistryUnavailable
from tests.registry.conftest import Bench, registry_at
from tests.servers import free_port

FIRST_USE = """
import os, sys, json
from pathlib import Path
from assay.database import Database
from assay.registry import Registry
before = dict(os.environ)
uri, home = sys.argv[1:]
registry = Registry(uri, Path(home), Database(f"sqlite:///{home}/assay.db"))
assert registry.versions("SpamClassifier") == []
with registry._client.session() as mlflow:
    assert list(mlflow.search_registered_models()) == []
assert dict(os.environ) == before, set(os.environ) ^ set(before)
"""


def clean() -> dict[str, str]:
    """Return the environment without what MLflow, used in this process by another test, has left in it."""
    return {name: value for name, value in os.environ.items() if "MLFLOW_" not in name}


def test_first_use_is_silent_and_leaves_the_environment_alone(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/home/mlflow.db"
    command = [sys.executable, "-c", FIRST_USE, uri, str(tmp_path / "home")]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=clean())
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_processes_that_use_a_new_store_first_at_once_all_succeed(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/home/mlflow.db"
    command = [sys.executable, "-c", FIRST_USE, uri, str(tmp_path / "home")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=clean()) for _ in range(3)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors


def test_opening_a_registry_touches_nothing(tmp_path: Path) -> None:
    registry_at(f"sqlite:///{tmp_path}/home/mlflow.db", tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_not_made_yet_has_no_versions_and_stays_so(tmp_path: Path) -> None:
    registry = registry_at(f"sqlite:///{tmp_path}/home/mlflow.db", tmp_path / "home")
    assert registry.versions("SpamClassifier") == []
    assert registry.production("SpamClassifier") is None
    assert list(tmp_path.iterdir()) == []


IMPORT = "import json, sys, os; before = dict(os.environ); import assay.registry; \
print(json.dumps([sorted(sys.modules), dict(os.environ) == before]))"


def test_importing_the_registry_loads_no_mlflow_and_changes_no_environment() -> None:
    outcome = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    modules, same = json.loads(outcome.stdout)
    assert not {"mlflow", "sklearn", "scipy", "pandas", "psycopg"} & set(modules)
    assert same


def test_registry_without_mlflow_is_named(bench: Bench) -> None:
    program = "import sys; sys.modules['mlflow'] = None\n" + FIRST_USE
    outcome = subprocess.run(
        [sys.executable, "-c", program, bench.uri, str(bench.home)], capture_output=True, text=True
    )
    assert "MissingExtra: Writing to the registry needs the package 'mlflow'" in outcome.stderr


def test_a_server_that_dies_after_the_first_look_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registry_at(f"http://ann:hunter2@127.0.0.1:{free_port()}", tmp_path / "home")
    monkeypatch.setattr(registry._client, "_probe", lambda: None)
    with (
        pytest.raises(RegistryUnavailable, match=r"API request to http://\*\*\*@127") as raised,
        registry._client.session(),
    ):
        raise AssertionError("nobody listens there")
    assert "hunter2" not in f"{raised.value}{raised.value.data}"

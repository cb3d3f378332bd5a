"""kill -9 at every step of a promotion and of a rollback leaves the old version or the new one, wholly."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.database import Database
from assay.registry import Registry
from tests.contracts.sources import ROOT
from tests.databases import own_schema
from tests.registry.conftest import Bench, gate_for, make_bench


def prepare(bench: Bench) -> None:
    """Bring versions 2 and 3 into production in turn; each gate passed against the other."""
    for champion in (None, "1", "2"):
        bench.register(champion=champion)
    for number in "123":
        bench.promote(number)
    bench.registry.record_gate(bench.model, "2", gate_for(bench.manifest, champion="3"))


def killed_everywhere(bench: Bench, way: str, people: str, *, statements: bool) -> list[dict[str, Any]]:
    """Return what was found after a death at each step, in their order; the last one is a life to the end."""
    prepare(bench)
    values = {"uri": bench.uri, "home": str(bench.home), "people": people, "model": bench.model}
    values |= {"way": way, "statements": statements}
    command = [sys.executable, "-m", "tests.registry.dying", json.dumps(values)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=1500)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_one_commit_point(found: list[dict[str, Any]], *, least: int) -> None:
    """Check that all deaths up to one step left the old version, and all from there on the new one."""
    assert len(found) > least
    came = [each["came"] for each in found]
    assert came == sorted(came)
    assert not came[0]
    assert found[-1] == {"where": "", "came": True, "settled": False}
    # Deaths around the commit point leave something to finish, on either side of it.
    unfinished = {each["came"] for each in found if each["settled"]}
    assert unfinished == {False, True}


@pytest.mark.parametrize("way", ["promote", "rollback"])
def test_death_at_any_statement_leaves_one_whole_production_version(bench: Bench, way: str) -> None:
    found = killed_everywhere(bench, way, f"sqlite:///{bench.home / 'assay.db'}", statements=True)
    check_one_commit_point(found, least=60)
    [last_old, first_new] = [next(each for each in found if each["came"] is came) for came in (False, True)]
    assert last_old["where"].startswith("before ")
    assert first_new["where"] == "after COMMIT"


@pytest.mark.proof
def test_death_at_any_statement_on_postgresql_does_so_too(
    postgres_uri: str, tmp_path: Path, spam_artifact: Path, report_folder: Path
) -> None:
    bench, people = make_bench(postgres_uri, tmp_path, spam_artifact, report_folder), own_schema(postgres_uri)
    bench.registry = Registry(bench.uri, bench.home, Database(people))
    found = killed_everywhere(bench, "rollback", people, statements=True)
    check_one_commit_point(found, least=60)


@pytest.mark.parametrize("way", ["promote", pytest.param("rollback", marks=pytest.mark.proof)])
def test_death_at_any_request_leaves_one_whole_production_version(http_bench: Bench, way: str) -> None:
    people = f"sqlite:///{http_bench.home / 'assay.db'}"
    found = killed_everywhere(http_bench, way, people, statements=False)
    check_one_commit_point(found, least=20)
    assert next(each for each in found if each["came"])["where"] == (
        "after POST /api/2.0/mlflow/registered-models/alias"
    )

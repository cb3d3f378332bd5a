"""Retraining and backups as the Helm chart schedules them."""

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from assay.cli import build_parser
from tests.deploy.rendered import PRODUCTION, Release, variables
from tests.deploy.tools import needs

pytestmark = needs("helm")


def commands(release: Release) -> list[list[str]]:
    """Return what containers run of Assay's commands, those in scripts included."""
    found = []
    for _, _, container in release.containers():
        arguments = container.get("args", [])
        if "command" not in container:
            found.append(arguments)
        for line in "".join(arguments).splitlines() if "command" in container else []:
            match = re.search(r"(?:^|exec )assay (.*?)( \|\||$)", line)
            found += [shlex.split(match[1])] if match else []
    return found


def test_commands_are_those_of_assay(release: Release) -> None:
    parser = build_parser()
    ran = commands(release)
    assert ["serve"] in ran
    for arguments in ran:
        assert parser.parse_args(arguments)


def test_a_blocked_candidate_is_not_trained_again(releases: dict[str, Release]) -> None:
    jobs = [each for each in releases["rest"].all("CronJob") if "retrain" in each["metadata"]["name"]]
    assert [each["metadata"]["name"] for each in jobs] == ["assay-retrain-sentiment", "assay-retrain-spam"]
    for job in jobs:
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        spec = job["spec"]["jobTemplate"]["spec"]
        fails, ignored = spec["podFailurePolicy"]["rules"]
        [container] = spec["template"]["spec"]["containers"]
        assert fails == {
            "action": "FailJob",
            "onExitCodes": {"containerName": container["name"], "operator": "In", "values": [2]},
        }
        assert ignored["action"] == "Ignore"
        assert spec["template"]["spec"]["restartPolicy"] == "Never"
        assert container["args"][0] == "train"


@pytest.mark.parametrize(
    ("seen", "trained", "code"), [(0, False, 0), (2, True, 0), (2, True, 2), (1, False, 1), (137, False, 1)]
)
def test_training_follows_drift(
    releases: dict[str, Release], tmp_path: Path, seen: int, trained: bool, code: int
) -> None:
    job = releases["production"].one("CronJob", "assay-retrain-spam")
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    log = tmp_path / "log"
    program = tmp_path / "assay"
    outcome = code if trained else 9
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\ncase $1 in drift) exit {seen} ;; *) exit {outcome} ;; esac\n',
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    done = subprocess.run(
        [*container["command"], *container["args"]],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == code
    ran = log.read_text(encoding="utf-8").splitlines()
    assert ran[0] == "drift spam --since 24h --check"
    assert ran[1:] == (["retrain spam --promote"] if trained else [])


def test_a_backup_is_named_its_credentials_by_file(releases: dict[str, Release]) -> None:
    [(_, pod, container)] = [
        each for each in releases["production"].containers() if each[0] == "assay-backup"
    ]
    assert container["args"][:3] == ["backup", "--to", "s3://example-backups/assay"]
    path = Path(variables(container)["AWS_SHARED_CREDENTIALS_FILE"])
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes[mounts[str(path.parent)]]["secret"]["secretName"] == "assay-backup"
    [(_, pod, container)] = [each for each in releases["rest"].containers() if each[0] == "assay-backup"]
    assert {"name": "backup", "mountPath": "/backup"} in container["volumeMounts"]


@pytest.mark.parametrize(
    ("settings", "store", "left_out"),
    [
        ((), "http://mlflow.mlflow.svc:5000", ["registry", "artifacts"]),
        (("mlflow.enabled=true",), "sqlite:////app/mlflow/mlflow.db", []),
        (("backup.registry.secretName=store",), "/run/secrets/registry/tracking_uri", ["artifacts"]),
        (
            ("backup.registry.secretName=store", "backup.registry.artifactsClaim=a", "decisionLog.size="),
            "",
            ["log"],
        ),
    ],
)
def test_a_backup_has_what_can_be_reached_and_says_what_it_leaves_out(
    home: Path, settings: tuple[str, ...], store: str, left_out: list[str]
) -> None:
    apart = ("retrain.enabled=false", "backup.image.repository=own", "backup.image.tag=v1")
    release = Release(home, *apart, *settings, files=(PRODUCTION,))
    [(pod, container)] = [each[1:] for each in release.containers() if "backup" in each[0]]
    assert container["image"] == "own:v1"
    arguments = container["args"]
    assert [arguments[at + 1] for at, each in enumerate(arguments) if each == "--without"] == left_out
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert ("--artifacts" in arguments) == ("/app/mlflow" in mounts)
    environment = variables(container)
    assert store in (
        environment.get("ASSAY_TRACKING_URI", ""),
        environment.get("ASSAY_TRACKING_URI_FILE", ""),
        "",
    )
    # A volume of one node is only there on the node of MLflow.
    near = pod.get("affinity", {}).get("podAffinity")
    assert bool(near) == ("mlflow.enabled=true" in settings)

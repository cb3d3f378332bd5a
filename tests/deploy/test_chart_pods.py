"""Pods of the Helm chart: hardened, told what Assay knows, and leaving without losing a request."""

import re
from pathlib import Path

from assay.environment import read_settings
from assay.settings import SECRETS
from tests.deploy.rendered import Release, unrestricted, variables
from tests.deploy.tools import needs

pytestmark = needs("helm")


def test_pods_are_restricted(release: Release) -> None:
    pods = dict(release.pods())
    assert pods
    assert {name: unrestricted(template["spec"]) for name, template in pods.items()} == {
        name: [] for name in pods
    }


def test_a_pod_with_too_many_rights_is_seen(releases: dict[str, Release]) -> None:
    pod = dict(releases["defaults"].pods())["assay"]["spec"]
    loose = {
        "containers": [{"ports": [{"hostPort": 1}]}],
        "hostPID": True,
        "volumes": [{"name": "x", "hostPath": {}}],
    }
    assert len(unrestricted(loose)) == 9
    assert unrestricted(pod) == []


def test_images_are_of_one_version(release: Release) -> None:
    images = {container["image"] for _, _, container in release.containers()}
    assert all(re.fullmatch(r"[a-z0-9./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})", image) for image in images)
    assert not any(image.endswith(":latest") for image in images)


def test_the_images_are_those_of_the_targets(releases: dict[str, Release], home: Path) -> None:
    release = Release(
        home, "image.repository=ghcr.io/shop/assay", "image.tag=production-1", "mlflow.enabled=true"
    )
    assert {name: container["image"] for name, _, container in release.containers()} == {
        "assay": "ghcr.io/shop/assay:production-1",
        "assay-console": "ghcr.io/shop/assay-train:production-1",
        "assay-mlflow": "ghcr.io/shop/assay-mlflow:production-1",
    }
    rest = {name: container["image"] for name, _, container in releases["rest"].containers()}
    assert rest["assay"] == f"assay@sha256:{'a' * 64}"
    assert rest["assay-backup"] == "assay-train:other"


def test_what_containers_are_told_are_settings_of_assay(release: Release, tmp_path: Path) -> None:
    values = {
        "database": "postgresql://db/assay",
        "decision_key": "0" * 32,
        "tracking_uri": "postgresql://db/mlflow",
    }
    told = 0
    for name, _, container in release.containers():
        if name == "assay-mlflow":
            continue
        environment = variables(container)
        for variable, path in environment.items():
            if variable.startswith("ASSAY_") and variable.endswith("_FILE"):
                file = tmp_path / Path(path).name
                file.write_text(values.get(file.name, "redis://redis:6379/0"), encoding="utf-8")
                environment[variable] = str(file)
        settings = read_settings(environment)
        assert settings.people == values["database"]
        assert settings.store.startswith(("http://", values["tracking_uri"]))
        told += 1
    assert told


def test_service_links_are_off(release: Release) -> None:
    """A Service named assay would set ASSAY_PORT=tcp://..., which stops the start."""
    assert {template["spec"]["enableServiceLinks"] for _, template in release.pods()} == {False}


def test_secrets_are_files(release: Release) -> None:
    for name, pod, container in release.containers():
        environment = variables(container)
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        volumes = {each["name"]: each for each in pod["volumes"]}
        given = {variable for variable in environment if variable.removeprefix("ASSAY_").lower() in SECRETS}
        assert given <= {"ASSAY_TRACKING_URI"}
        assert "@" not in environment.get("ASSAY_TRACKING_URI", "")
        files = {
            key: Path(value)
            for key, value in environment.items()
            if key.startswith("ASSAY_") and "_FILE" in key
        }
        assert files or name == "assay-mlflow"
        for path in files.values():
            secret = volumes[mounted[str(path.parent)]]["secret"]
            assert path.name in {item["path"] for item in secret["items"]}
            # The group may read: the files are root's.
            assert secret["defaultMode"] == 0o440
            assert pod["securityContext"]["fsGroup"] == 10001


def test_what_is_written_to_is_a_volume(release: Release) -> None:
    for name, pod, container in release.containers():
        volumes = {each["name"] for each in pod["volumes"]}
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert set(mounts.values()) <= volumes
        assert mounts.keys() >= {"/tmp", "/app/data"}
        if folder := variables(container).get("ASSAY_DECISION_FOLDER"):
            assert folder in mounts, name


def test_a_replica_has_time_to_leave(release: Release) -> None:
    environment = variables(release.api()["containers"][0])
    leaving = float(environment["ASSAY_DRAIN_SECONDS"]) + float(environment["ASSAY_STOP_SECONDS"])
    assert release.api()["terminationGracePeriodSeconds"] >= leaving + 5
    # Two failed looks at readiness fit into it, should the pod's end not be told otherwise.
    ready = release.api()["containers"][0]["readinessProbe"]
    assert ready["periodSeconds"] * ready["failureThreshold"] < float(environment["ASSAY_DRAIN_SECONDS"])


def test_an_update_takes_no_replica_before_another_answers(release: Release) -> None:
    spec = release.one("Deployment")["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert spec["minReadySeconds"] > 0


def test_probes_ask_what_the_service_answers(release: Release) -> None:
    container = release.api()["containers"][0]
    scheme = "HTTPS" if "ASSAY_TLS_KEY" in variables(container) else "HTTP"
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {each["scheme"] for each in asked.values()} == {scheme}
    assert {kind: each["path"] for kind, each in asked.items()} == {
        "startup": "/health/live",
        "readiness": "/health/ready",
        "liveness": "/health/live",
    }
    [port] = container["ports"]
    assert {each["port"] for each in asked.values()} == {port["name"]}
    assert variables(container)["ASSAY_PORT"] == str(port["containerPort"])
    # A start may take longer than a stall that is a reason to restart.
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 180


def test_replicas_are_counted_by_one_hand(releases: dict[str, Release]) -> None:
    scaled, fixed = releases["production"], releases["rest"]
    assert "replicas" not in scaled.one("Deployment")["spec"]
    scaler = scaled.one("HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 12)
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "assay"}
    kinds = {each["type"]: each for each in scaler["metrics"]}
    assert kinds["Pods"]["pods"]["target"]["averageValue"] == "250m"
    assert kinds["Resource"]["resource"]["name"] == "cpu"
    assert "cpu" in scaled.api()["containers"][0]["resources"]["requests"]
    assert fixed.all("HorizontalPodAutoscaler") == []
    assert fixed.one("Deployment")["spec"]["replicas"] == 3

"""The Helm chart: what it makes is valid, and values that cannot be meant are refused."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.settings import SECRETS, Settings
from tests.contracts.sources import ROOT
from tests.deploy.rendered import CHART, PRODUCTION, Release, variables
from tests.deploy.tools import needs, passes, run

pytestmark = needs("helm", "kubernetes-validate")

KUBERNETES = ("1.29", "1.37")
"""The oldest that the chart says it works with, and the newest whose schemas are there."""
OPERATORS = {"ServiceMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator, whose schemas Kubernetes does not have."""


def refusal(home: Path, *settings: str) -> str:
    """Return what Helm says of values that it must refuse."""
    options = [option for each in settings for option in ("--set", each)]
    done = run("helm", "template", "assay", CHART, *options, home=home)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("values", [(), ("--values", str(PRODUCTION))], ids=["defaults", "production"])
def test_helm_finds_no_fault(home: Path, values: tuple[str, ...]) -> None:
    assert "0 chart(s) failed" in passes("helm", "lint", "--strict", CHART, *values, home=home)


def test_every_object_fits_the_schemas_of_kubernetes(releases: dict[str, Release], home: Path) -> None:
    paths = [home / f"{name}.yaml" for name in releases]
    for path, release in zip(paths, releases.values(), strict=True):
        path.write_text(release.text, encoding="utf-8")
    for version in KUBERNETES:
        done = run("kubernetes-validate", "-k", version, "--strict", "--quiet", *paths, home=home)
        assert done.returncode == 0, done.stdout + done.stderr
        unknown = set(re.findall(r"schema for kind (\w+)", done.stdout + done.stderr))
        assert unknown == OPERATORS


def test_an_object_that_does_not_fit_is_seen(home: Path) -> None:
    path = home / "wrong.yaml"
    path.write_text(Release(home).text.replace("maxSurge", "maxsurge"), encoding="utf-8")
    assert run("kubernetes-validate", "--strict", "--quiet", path, home=home).returncode != 0


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("replicsa=2",), "additional properties 'replicsa' not allowed"),
    (("settings.worker=3",), "at '/settings': additional properties 'worker' not allowed"),
    (("settings.workers=many",), "at '/settings/workers': got string, want integer"),
    (("settings.max_in_flight=0",), "at '/settings/max_in_flight': minimum: got 0, want 1"),
    (("settings.database=postgresql://db",), "at '/settings': additional properties 'database' not allowed"),
    (("secrets.keys={data}",), "at '/secrets/keys/0': value must be one of"),
    (("drainSeconds=1",), "at '/drainSeconds': minimum: got 1, want 5"),
    (("image.tag=latest",), "means another image tomorrow"),
    (("trainImage.tag=latest",), "means another image tomorrow"),
    (("trackingUri=http://u:p@mlflow",), "put it into the Secret under the key"),
    (("trackingUri=",), "No registry: set trackingUri"),
    (("mlflow.enabled=true", "secrets.keys={database,tracking_uri}"), "keep one of the two"),
    (("secrets.keys={redis}",), "No database: replicas look keys up in one PostgreSQL"),
    (("secrets.values.database=x",), "More than one of secrets.existingSecret"),
    (("autoscaling.min=5", "autoscaling.max=4"), "autoscaling.min is 5 and autoscaling.max 4"),
    (("ingress.enabled=true",), "ingress.host is empty"),
    (("ingress.enabled=true", "ingress.host=a.example"), "keys and texts do not travel without TLS"),
    (("retrain.enabled=true",), "retrain.enabled needs retrain.tasks"),
    (("retrain.enabled=true", "retrain.tasks={spam}"), "set decisionLog.size or decisionLog.existingClaim"),
    (
        ("retrain.enabled=true", "retrain.tasks={spam}", "decisionLog.size=1Gi"),
        "the decision log keeps no texts",
    ),
    (("backup.enabled=true",), "which dies with the job"),
    (("backup.to=ftp://host",), "at '/backup/to': 'ftp://host' does not match pattern"),
]


@pytest.mark.parametrize(
    ("settings", "says"), REFUSED, ids=lambda each: each[0] if isinstance(each, tuple) else ""
)
def test_values_that_cannot_be_meant_are_refused(home: Path, settings: tuple[str, ...], says: str) -> None:
    said = refusal(home, *settings)
    assert says in said
    assert "u:p@" not in said


def test_insecure_needs_no_database(home: Path) -> None:
    release = Release(home, "settings.insecure=true", "secrets.existingSecret=")
    container = release.api()["containers"][0]
    assert variables(container)["ASSAY_INSECURE"] == "true"
    assert "secrets" not in {each["name"] for each in container["volumeMounts"]}


def test_an_agent_can_bring_the_secrets(home: Path) -> None:
    release = Release(
        home, "secrets.existingSecret=", "secrets.injectedAt=/vault/secrets", "podAnnotations.a=b"
    )
    for _, template in release.pods():
        assert template["metadata"]["annotations"]["a"] == "b"
        assert not any("secret" in each for each in template["spec"]["volumes"])
    assert variables(release.api()["containers"][0])["ASSAY_DATABASE_FILE"] == "/vault/secrets/database"


def test_values_for_a_trial_become_a_secret(home: Path) -> None:
    release = Release(home, "secrets.existingSecret=", "secrets.values.database=postgresql://u:p@db/assay")
    assert release.one("Secret")["stringData"] == {"database": "postgresql://u:p@db/assay"}
    assert "u:p@" not in yaml.safe_dump(release.api())
    other = Release(home, "secrets.existingSecret=", "secrets.values.database=postgresql://u:q@db/assay")
    sums = [
        each.one("Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/files"]
        for each in (release, other)
    ]
    assert sums[0] != sums[1]


OWNED = {
    *("home", "tasks", "tracking_uri", "user", "host", "port", "spool", "drain_seconds", "stop_seconds"),
    *("tls_certificate", "tls_key", "decision_folder"),
}
"""Settings that the chart writes itself, beside those that are secret."""


def schema() -> dict[str, Any]:
    """Return the schema of the chart's values."""
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return found


def test_the_schema_has_every_setting_with_its_bounds() -> None:
    """A new setting is to be added to `settings` of deploy/helm/assay/values.schema.json."""
    limits = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    fields = Settings.model_json_schema()["properties"]
    wanted = {
        name: {limit: field[limit] for limit in limits if limit in field}
        for name, field in fields.items()
        if name not in OWNED | set(SECRETS)
    }
    assert schema()["properties"]["settings"]["properties"] == wanted
    assert schema()["properties"]["secrets"]["properties"]["keys"]["items"]["enum"] == sorted(SECRETS)


def test_every_value_that_may_be_set_has_a_default_and_an_explanation() -> None:
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    open_ended = {"settings", "secrets", "global"}

    def compare(where: str, known: dict[str, Any], values: dict[str, Any]) -> None:
        assert set(known) - open_ended == set(values) - open_ended, where
        for name, each in known.items():
            each = schema()["$defs"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            if name not in open_ended and "properties" in each:
                compare(f"{where}.{name}", each["properties"], values[name])

    compare("", {n: e for n, e in schema()["properties"].items() if n != "global"}, yaml.safe_load(text))


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["kubeVersion"] == f">={KUBERNETES[0]}.0-0"
    assert chart["version"] == chart["appVersion"] == project["version"]


def test_what_the_page_tells_to_type_is_understood(home: Path) -> None:
    page = (ROOT / "docs" / "deploy" / "kubernetes.md").read_text(encoding="utf-8").replace("\\\n", " ")
    ran = 0
    for line in page.splitlines():
        if line.strip().startswith("helm upgrade --install assay "):
            passes("helm", "template", *shlex.split(line)[3:], home=home)
            ran += 1
    assert ran >= 3


def test_what_the_notes_ask_is_a_call_of_the_service() -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    calls = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    asked = re.findall(r"(?:host }}|:8000)(/\S+) -H", notes)
    assert len(asked) == 2
    assert all(f"| `GET {path}` |" in calls for path in asked)

"""The objects that the Helm chart makes of values, and what is looked for in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.contracts.sources import ROOT
from tests.deploy.tools import passes

CHART = ROOT / "deploy" / "helm" / "assay"
PRODUCTION = ROOT / "deploy" / "helm" / "production.yaml"

Object = dict[str, Any]


class Release:
    """What Helm would install in the namespace ``shop`` with these files of values and ``--set`` options."""

    def __init__(self, home: Path, *settings: str, files: tuple[Path, ...] = ()) -> None:
        options = [option for each in settings for option in ("--set", each)]
        options += [option for file in files for option in ("--values", str(file))]
        command = ("template", "assay", CHART, "--namespace", "shop", *options)
        self.text = passes("helm", *command, home=home)
        self.objects: list[Object] = [each for each in yaml.safe_load_all(self.text) if each]

    def all(self, kind: str) -> list[Object]:
        """Return the objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str = "assay") -> Object:
        """Return the one object of a kind and a name."""
        [found] = [each for each in self.all(kind) if each["metadata"]["name"] == name]
        return found

    def api(self) -> Object:
        """Return the specification of the API's pods."""
        found: Object = self.one("Deployment")["spec"]["template"]["spec"]
        return found

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Yield the name and the template of what makes pods."""
        for each in self.objects:
            spec = each.get("spec", {})
            if each["kind"] == "CronJob":
                spec = spec["jobTemplate"]["spec"]
            if "template" in spec:
                yield each["metadata"]["name"], spec["template"]

    def containers(self) -> Iterator[tuple[str, Object, Object]]:
        """Yield the name, the pod's specification and each container of it."""
        for name, template in self.pods():
            for container in template["spec"]["containers"]:
                yield name, template["spec"], container


def variables(container: Object) -> dict[str, str]:
    """Return a container's environment; all of it must stand there."""
    assert "envFrom" not in container
    assert all(set(each) == {"name", "value"} for each in container.get("env", []))
    names = [each["name"] for each in container.get("env", [])]
    assert len(names) == len(set(names))
    return {each["name"]: each["value"] for each in container.get("env", [])}


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Return whether a selector of labels selects what has these."""
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )


def unrestricted(pod: Object) -> list[str]:
    """Return what Kubernetes' Pod Security Standard "restricted" and this project refuse in a pod.

    Source: kubernetes.io/docs/concepts/security/pod-security-standards, the fields that pods of here use.
    """
    found = []
    whole = pod.get("securityContext", {})
    if whole.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("seccompProfile")
    if not whole.get("runAsNonRoot") or whole.get("runAsUser") != 10001:
        found.append("runs as root")
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
    found += [f"volume {each['name']}" for each in pod["volumes"] if not (each.keys() - {"name"}) <= allowed]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            found.append("privileges")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            found.append("capabilities")
        if not own.get("readOnlyRootFilesystem"):
            found.append("writable root")
        if any("hostPort" in each for each in container.get("ports", [])):
            found.append("hostPort")
    if pod.get("automountServiceAccountToken") is not False:
        found.append("token of the cluster")
    return found

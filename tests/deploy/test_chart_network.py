"""Who reaches whom in a release of the Helm chart, and what Prometheus and Grafana get of it."""

from pathlib import Path

import yaml

from tests.contracts.sources import ROOT
from tests.deploy.rendered import CHART, Release, selects
from tests.deploy.tools import needs, passes

pytestmark = needs("helm")
ADAPTER = ROOT / "deploy" / "helm" / "prometheus-adapter.yaml"


def test_selectors_select_what_they_are_for(release: Release) -> None:
    pods = {name: template["metadata"]["labels"] for name, template in release.pods()}
    for kind, own in (("Deployment", "assay"), ("PodDisruptionBudget", "assay")):
        selector = release.one(kind)["spec"]["selector"]
        assert [name for name, labels in pods.items() if selects(selector, labels)] == [own]
    service = release.one("Service")["spec"]
    assert [name for name, labels in pods.items() if service["selector"].items() <= labels.items()] == [
        "assay"
    ]
    for policy in release.api()["topologySpreadConstraints"]:
        assert selects(policy["labelSelector"], pods["assay"])


def test_every_pod_is_closed_but_for_what_it_needs(release: Release) -> None:
    policies = [each["spec"] for each in release.all("NetworkPolicy")]
    assert all(set(each["policyTypes"]) == {"Ingress", "Egress"} for each in policies)
    for name, template in release.pods():
        labels = template["metadata"]["labels"]
        [policy] = [each for each in policies if selects(each["podSelector"], labels)]
        assert all(rule["to"] and rule["ports"] for rule in policy["egress"]), name
        ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        assert 53 in ports
        assert ports <= {53, 5000, "http", 6379, 5432, 443}
        assert 443 not in ports or labels["app.kubernetes.io/component"] in ("console", "retrain", "backup")
        assert bool(policy.get("ingress")) == (name in ("assay", "assay-mlflow"))


def test_nobody_is_let_in_where_no_peers_are_named(home: Path) -> None:
    release = Release(home, "networkPolicy.ingress=null", "networkPolicy.metrics=null")
    assert release.one("NetworkPolicy")["spec"].get("ingress") is None
    assert Release(home, "networkPolicy.enabled=false").all("NetworkPolicy") == []


def test_callers_come_in_by_tls(releases: dict[str, Release]) -> None:
    spec = releases["production"].one("Ingress")["spec"]
    [rule], [tls] = spec["rules"], spec["tls"]
    assert tls == {"hosts": [rule["host"]], "secretName": "assay-tls"}
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = releases["production"].one("Service")
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_prometheus_finds_the_replicas_under_the_job_of_the_rules(releases: dict[str, Release]) -> None:
    for name, scheme in (("production", None), ("rest", "https")):
        release = releases[name]
        spec = release.one("ServiceMonitor")["spec"]
        service = release.one("Service")
        assert selects(spec["selector"], service["metadata"]["labels"])
        [endpoint] = spec["endpoints"]
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
        assert endpoint["path"] == "/metrics"
        assert endpoint.get("scheme") == scheme
        assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "assay"}]
        assert endpoint["authorization"]["credentials"] == {"name": "assay-metrics", "key": "prometheus"}


def test_rules_and_dashboard_are_those_of_the_repository(releases: dict[str, Release]) -> None:
    rules, dashboard = ROOT / "deploy/prometheus/assay.rules.yml", ROOT / "deploy/grafana/assay.json"
    release = releases["production"]
    assert release.one("PrometheusRule")["spec"] == yaml.safe_load(rules.read_text(encoding="utf-8"))
    shown = release.one("ConfigMap", "assay-dashboard")["data"]["assay.json"]
    assert yaml.safe_load(shown) == yaml.safe_load(dashboard.read_text(encoding="utf-8"))
    # No second copy that could differ.
    for file in (rules, dashboard):
        assert (CHART / "files" / file.name).is_symlink()
        assert (CHART / "files" / file.name).resolve() == file


@needs("promtool")
def test_latency_to_scale_by_is_that_of_each_replica(releases: dict[str, Release], tmp_path: Path) -> None:
    [rule] = yaml.safe_load(ADAPTER.read_text(encoding="utf-8"))["rules"]["custom"]
    [metric] = [
        each["pods"]["metric"]["name"]
        for each in releases["production"].one("HorizontalPodAutoscaler")["spec"]["metrics"]
        if each["type"] == "Pods"
    ]
    assert rule["name"]["as"] == metric
    series, _, labels = rule["seriesQuery"].partition("{")
    assert labels == 'namespace!="",pod!="",task!=""}'
    query = rule["metricsQuery"]
    # As the adapter fills it in, for two pods.
    for mark, text in (
        ("Series", series),
        ("LabelMatchers", 'namespace="shop",pod=~"a|b"'),
        ("GroupBy", "pod"),
    ):
        query = query.replace(f"<<.{mark}>>", text)

    def bucket(pod: str, bound: str, each_minute: int, task: str = "spam") -> dict[str, str]:
        names = f'namespace="shop",pod="{pod}",task="{task}",le="{bound}"'
        return {"series": f"{series}{{{names}}}", "values": f"0+{each_minute}x10"}

    asked = [
        # Nine in ten within 0.1 s, the others within 0.5 s: half of these are the slowest in twenty.
        *(bucket("a", bound, count) for bound, count in (("0.1", 90), ("0.5", 100), ("+Inf", 100))),
        # Health and metrics are of no task.
        *(bucket("a", bound, count, "") for bound, count in (("0.1", 0), ("0.5", 0), ("+Inf", 900))),
        # Nobody asks this one.
        *(bucket("b", bound, 0) for bound in ("0.1", "0.5", "+Inf")),
    ]
    expected = [{"labels": '{pod="a"}', "value": 0.3}, {"labels": '{pod="b"}', "value": 0}]
    case = {
        "interval": "1m",
        "input_series": asked,
        "promql_expr_test": [{"expr": f"round({query}, 0.001)", "eval_time": "10m", "exp_samples": expected}],
    }
    path = tmp_path / "latency.yml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [case]}), encoding="utf-8")
    assert "SUCCESS" in passes("promtool", "test", "rules", path, home=tmp_path)

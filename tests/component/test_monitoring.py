"""Alerts and dashboard use existing metrics and labels, and the scrape configuration has the right ports."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from deploy.local.stack import METRICS_OFFSET, SERVICES
from schemas.codec import TYPES
from services.common.telemetry.metrics import NAMESPACE
from tests.component.test_api_documents import MAKERS

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
SCRAPED = frozenset({"job", "instance"})
"""The labels that Prometheus adds."""
UP = "up"
RATE_INTERVAL = ("$__rate_interval", "5m")
"""Grafana's variable, and a value for it."""


@dataclass
class Query:
    """The metrics of an expression, with the matched labels and the labels of its result."""

    matched: list[tuple[str, str, str]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def visit(self, node: promql_parser.Expr) -> None:
        """Visit a node of the expression."""
        match node:
            case promql_parser.VectorSelector():
                assert node.name, "a metric without a name"
                self.names.add(node.name)
                self.matched += [(node.name, each.name, each.value) for each in node.matchers.matchers]
            case promql_parser.AggregateExpr() if node.modifier is not None:
                self.kept |= set(node.modifier.labels)


def parse_query(expression: str) -> Query:
    """Parse an expression like Prometheus."""
    found = Query()
    promql_parser.walk(promql_parser.parse(expression.replace(*RATE_INTERVAL)), pre_visit=found.visit)
    return found


def alerts() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels, without the rows."""
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Return every expression of the alerts and of the dashboard."""
    yield from (rule["expr"] for rule in alerts())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


@pytest.fixture
async def metrics(tmp_path: Path) -> dict[str, set[str]]:
    """Provide the sample names in the registries of all services, with their labels."""
    found: dict[str, set[str]] = {UP: set()}
    for make in MAKERS.values():
        registry = make(tmp_path).telemetry.metrics.registry
        for collector in tuple(registry._collector_to_names):  # noqa: SLF001 -- nothing public gives labels without samples
            for family in collector.collect():
                for name in sample_names(family):
                    found.setdefault(name, set()).update(labels_of(collector, family))
    return found


def sample_names(family: Metric) -> set[str]:
    """Return the sample names of a metric."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
    return {f"{family.name}{suffix}" for suffix in suffixes.get(family.type, ("",))}


def labels_of(collector: object, family: Metric) -> set[str]:
    """Return the labels that a metric has."""
    owner = collector if isinstance(collector, MetricWrapperBase) else family
    labels = set(getattr(owner, "_labelnames", ())) | {label for sample in family.samples for label in sample.labels}
    return labels | ({"le"} if family.type == "histogram" else set())


def test_every_expression_asks_for_metrics_and_labels_that_are_there(metrics: dict[str, set[str]]) -> None:
    found = list(expressions())
    assert len(found) > 40
    for expression in found:
        query = parse_query(expression)
        assert query.names - metrics.keys() == set(), expression
        for name, label, _value in query.matched:
            assert label in metrics[name] | SCRAPED, expression
        available = set[str]().union(*(metrics[name] for name in query.names), SCRAPED)
        assert query.kept <= available, expression


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(metrics: dict[str, set[str]]) -> None:
    used = {re.sub("_(bucket|sum|count)$", "", name) for each in expressions() for name in parse_query(each).names}
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in metrics if name.startswith(NAMESPACE)}
    assert ours - used == set()


def test_the_operations_manual_lists_exactly_the_metrics(metrics: dict[str, set[str]]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Metrics")[2]
    documented = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in metrics if name.startswith(NAMESPACE)}
    assert sorted(f"{NAMESPACE}_{name}" for name in documented) == sorted(ours)


def test_every_event_type_and_job_that_is_asked_for_is_there() -> None:
    known = {"event": TYPES.keys(), "job": SERVICES.keys()}
    matched = [
        (label, part)
        for each in expressions()
        for _, label, value in parse_query(each).matched
        for part in value.split("|")
    ]
    assert {label for label, _ in matched} >= known.keys()
    assert [(label, value) for label, value in matched if label in known and value not in known[label]] == []


def test_every_alert_has_annotations_and_a_runbook_entry() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) > 10
    for rule in alerts():
        words = re.findall("[A-Z][a-z]+", rule["alert"].removeprefix("Countersign"))
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{'-'.join(words).lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_no_two_panels_lie_over_each_other() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_prometheus_scrapes_the_metrics_ports() -> None:
    local = yaml.safe_load((MONITORING / "prometheus-local.yml").read_text())["scrape_configs"]
    assert {each["job_name"]: each["static_configs"][0]["targets"] for each in local} == {
        service: [f"localhost:{port + METRICS_OFFSET}"] for service, port in SERVICES.items()
    }
    containers = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for each in yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]:
        (place,) = each["dns_sd_configs"]
        service = each["job_name"]
        assert place["names"] == [service]
        assert containers[service]["environment"][f"{service.upper()}_METRICS_PORT"] == place["port"]
        assert "ports" not in containers[service], "its metrics would be open to everybody"


def test_the_monitoring_containers_get_files_that_are_there() -> None:
    containers = yaml.safe_load((ROOT / "docker-compose.monitoring.yml").read_text())["services"]
    files = [
        volume.split(":")[0] for each in containers.values() for volume in each["volumes"] if volume.startswith(".")
    ]
    assert len(files) == 5
    assert [name for name in files if not (ROOT / name).is_file()] == []

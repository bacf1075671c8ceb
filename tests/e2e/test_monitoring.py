"""Alerts and dashboard ask for what a running server really tells: names, labels and their values."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from calcgraph.runtime.errors import Code
from calcgraph.servers.observation.exchange import CANCELLED, OK, Method, Surface

from .conftest import BF16, Running

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
ADDED = {"job", "instance"}
"""Labels that Prometheus itself gives to all that it scrapes."""
VALUES = {
    "outcome": {OK, CANCELLED, "failed", *(code.name.lower() for code in Code)},
    "surface": {surface.value for surface in Surface},
    "method": {method.value for method in Method},
    "lane": {"interactive", "bulk"},
    "job": {"calcgraph"},
}
Told = dict[str, set[str]]


@pytest.fixture(scope="module")
def told(server: Running) -> Told:
    """The labels of every sample's name, after some requests of each kind."""
    server.embed(BF16, ["a", "b"])
    server.post("/v3/embeddings", {"model": BF16, "input": ""})
    connection = HTTPConnection(server.rest, timeout=60)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    labels: Told = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels[sample.name] |= set(sample.labels)
    labels["up"] = set()
    return labels


def alerts() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def panels() -> Iterator[tuple[str, str]]:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "calcgraph.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "5m")
            yield panel["title"], expression.replace("$model", ".*")


def selectors(expression: Any) -> list[Any]:
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(expression, visit)
    return found


def groupings(expression: Any) -> Iterator[tuple[list[str], list[Any]]]:
    """The labels of each `by`, with the selectors below it."""
    found: list[tuple[list[str], list[Any]]] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            found.append((node.modifier.labels, selectors(node.expr)))
        return True

    promql_parser.walk(expression, visit)
    return iter(found)


def problems(text: str, told: Told) -> list[str]:
    """What an expression asks for that no server tells."""
    expression = promql_parser.parse(text)
    wrong = [f"no metric {each.name}" for each in selectors(expression) if each.name not in told]
    for each in selectors(expression):
        for matcher in each.matchers.matchers:
            if matcher.name not in told[each.name] | ADDED:
                wrong.append(f"{each.name} has no label {matcher.name}")
            known = VALUES.get(matcher.name, set())
            wrong += [
                f"no {matcher.name} is {value}"
                for value in re.split(r"\|", matcher.value)
                if known and value not in known
            ]
    for labels, below in groupings(expression):
        wrong += [
            f"{each.name} has no label {label}"
            for each in below
            for label in labels
            if label not in told[each.name] | ADDED
        ]
    return sorted(set(wrong))


@pytest.mark.parametrize(("name", "expression"), list(alerts()))
def test_an_alert_asks_for_what_there_is(told: Told, name: str, expression: str) -> None:
    # Loads fail rarely, but the name is told from the first load on.
    assert problems(expression, told) == []


@pytest.mark.parametrize(("title", "expression"), list(panels()))
def test_a_panel_shows_what_there_is(told: Told, title: str, expression: str) -> None:
    assert problems(expression, told) == []


def test_what_there_is_not_would_be_found(told: Told) -> None:
    wrong = (
        'sum by (modell) (rate(calcgraph_requests_total{outcom="ok", surface="rest"}[5m])) + nix'
    )
    assert problems(wrong, told) == [
        "calcgraph_requests_total has no label modell",
        "calcgraph_requests_total has no label outcom",
        "no metric nix",
        "no surface is rest",
    ]


def test_every_alert_says_what_it_means() -> None:
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["description"]

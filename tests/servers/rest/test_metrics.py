"""GET /metrics tells what the nodes measure, as Prometheus reads it."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus


@pytest.fixture
def moody(nodes: dict[str, Any]) -> Iterator[Any]:
    calculator = nodes["Moody"]
    yield calculator
    calculator.well = True


def samples(families: Any) -> dict[tuple[str, ...], float]:
    return {
        (s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items()))): s.value
        for family in families
        for s in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "parse", "kind"),
    [
        ("", prometheus, "text/plain"),
        (
            "application/openmetrics-text; version=1.0.0",
            openmetrics,
            "application/openmetrics-text",
        ),
    ],
)
def test_numbers_carry_their_model_node_and_labels(
    served: Any, accept: str, parse: Any, kind: str
) -> None:
    answer = served.call("GET", "/metrics", Accept=accept)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    found = samples(parse(answer.body.decode()))
    where = ("model=moody", "node=Moody")
    assert found["calcgraph_mood", *where] == 0.5
    assert found["calcgraph_tears_total", "eye=left", *where] == 3
    assert found["calcgraph_tears_total", "eye=right", *where] == 4


def test_readiness_is_told_by_model_and_by_probe(served: Any, moody: Any) -> None:
    def told() -> tuple[float, ...]:
        families = prometheus(served.call("GET", "/metrics").body.decode())
        found = samples(families)
        return tuple(
            found["calcgraph_model_ready", f"model={m}"] for m in ("moody", "echo", "unready")
        )

    assert told() == (1, 1, 0)
    moody.well = False
    assert told() == (0, 1, 0)
    assert served.call("GET", "/v2/models/moody/ready").status == 503
    answer = served.call("POST", "/v3/embeddings", '{"model": "moody", "input": "x"}')
    assert answer.status == 200, "a model that mends itself keeps who comes waiting, and answers"

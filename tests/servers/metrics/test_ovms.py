"""OVMS's metrics by OVMS's names, and how they are asked for."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from calcgraph.servers.metrics.flags import add_arguments, ovms_metrics
from calcgraph.servers.metrics.ovms import DEFAULT
from calcgraph.servers.model_config import ConfigError

UNARY = {"api": "V3", "interface": "REST", "method": "Unary", "name": "echo"}
INFER = {"api": "KServe", "interface": "gRPC", "method": "ModelInfer", "name": "echo"}


def asked(*arguments: str) -> Any:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config_path", type=Path)
    add_arguments(parser)
    return ovms_metrics(parser.parse_args(arguments)).names


def configured(folder: Path, monitoring: Any) -> Any:
    file = folder / "config.json"
    file.write_text(json.dumps({"model_config_list": [], "monitoring": monitoring}))
    return asked("--config_path", str(file))


def test_a_graphs_requests_are_counted_as_ovms_counts_them(counted: Any) -> None:
    counted.embed("echo", "a")
    counted.embed("echo", "fail")
    counted.infer("echo")
    counted.served.call("POST", "/v2/models/echo/infer", "{}")
    assert counted.value("ovms_requests_accepted", **UNARY) == 2
    assert counted.value("ovms_responses", **UNARY) == 1
    assert counted.value("ovms_graph_error", **UNARY) == 1
    assert counted.value("ovms_requests_success", **UNARY, version="1") == 1
    assert counted.value("ovms_requests_fail", **UNARY, version="1") == 1
    assert counted.value("ovms_requests_accepted", **INFER) == 1
    assert counted.value("ovms_requests_rejected", **(INFER | {"interface": "REST"})) == 1
    assert counted.now("ovms_current_graphs", name="echo") == 0
    assert counted.now("ovms_current_requests", name="echo", version="1") == 0


def test_times_are_microseconds(counted: Any) -> None:
    counted.embed("echo", "a")
    labels = {"interface": "REST", "name": "echo", "version": "1"}
    seconds = counted.value("calcgraph_request_seconds_sum", model="echo", surface="openai")
    assert counted.value("ovms_request_time_us_sum", **labels) == pytest.approx(seconds * 1e6)
    assert counted.value("ovms_request_time_us_bucket", le="100.0", **labels) >= 0
    assert counted.value("ovms_request_time_us_count", **labels) == 1


def test_none_are_told_unless_asked_for(served: Any) -> None:
    assert b"ovms_" not in served.call("GET", "/metrics").body


def test_the_flags_of_ovms_choose(tmp_path: Path) -> None:
    assert asked() == ()
    assert asked("--metrics_enable") == DEFAULT
    listed = "ovms_streams, ovms_infer_req_active"
    assert asked("--metrics_enable", "--metrics_list", listed) == tuple(listed.split(", "))


def test_so_does_the_configuration_of_ovms(tmp_path: Path) -> None:
    assert configured(tmp_path, {}) == ()
    assert configured(tmp_path, {"metrics": {"enable": False}}) == ()
    assert configured(tmp_path, {"metrics": {"enable": True}}) == DEFAULT
    metrics = {"enable": True, "metrics_list": ["ovms_responses"]}
    assert configured(tmp_path, {"metrics": metrics}) == ("ovms_responses",)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"enable": True, "metrics_list": ["ovms_reponses"]}, "did you mean 'ovms_responses'"),
        ({"enable": "yes"}, "metrics.enable"),
        ({"enabled": True}, "enabled"),
        ({"endpoint_path": "/stats"}, "expected '/metrics'"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_place(
    tmp_path: Path, metrics: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        configured(tmp_path, {"metrics": metrics})
    assert str(tmp_path / "config.json") in str(error.value)

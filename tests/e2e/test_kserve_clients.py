"""Clients of KServe v2 that people use, in processes of their own, against graphs that keep state."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import NODES, Running, running

CLIENTS = Path(__file__).parent / "clients"
GRAPHS = {
    "total": """
        input_stream: "in" output_stream: "out" input_side_packet: "start"
        node { calculator: "Total" input_stream: "in" output_stream: "out"
               input_side_packet: "START:start" }
        """,
    "python": """
        input_stream: "OVMS_PY_TENSOR:in" output_stream: "OVMS_PY_TENSOR:out"
        node { calculator: "PassThroughCalculator" input_stream: "in" output_stream: "out" }
        """,
    "slow": """
        input_stream: "in" output_stream: "out"
        node { calculator: "Never" input_stream: "in" output_stream: "out" }
        """,
}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("graphs")
    models = []
    for name, graph in GRAPHS.items():
        (folder / f"{name}.pbtxt").write_text(graph)
        models.append({"name": name, "base_path": ".", "graph_path": f"{name}.pbtxt"})
    config = folder / "config.json"
    config.write_text(json.dumps({"model_config_list": [], "mediapipe_config_list": models}))
    flags = ["--config_path", config, "--calculators", NODES, "--repository_extension"]
    with running(folder / "stderr", *flags, "--rest_port", "0", "--port", "0") as server:
        yield server


@pytest.fixture(scope="module")
def run(graphs: Running, client_python: Any) -> Callable[..., Any]:
    """Run a client's script in an environment of its own; returns what it prints."""

    def seen(environment: str, requirements: list[str], script: str, **question: Any) -> Any:
        python = client_python(environment, requirements)
        done = subprocess.run(
            [python, CLIENTS / script],
            input=json.dumps({"grpc": graphs.grpc, **question}),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return seen


@pytest.fixture(scope="module")
def triton(run: Any, graphs: Running) -> Any:
    return run("tritonclient", ["tritonclient[grpc,http]"], "triton_graphs.py", rest=graphs.rest)


def test_tritons_stream_keeps_state_and_goes_on_after_a_bad_request(triton: Any) -> None:
    """KServe S2, S3, S6, S11, J12."""
    one, two, wrong, three, four, refused, new = triton["stream"]
    assert [one, two] == [["one", 11, "1"], ["two", 13, "1"]]
    assert wrong[0] == "None"
    assert "no input 'wrong'" in wrong[1]
    assert three == ["three", 16, "1"]
    assert four[1:] == [20, "1"]
    assert refused == ["StatusCode.INVALID_ARGUMENT", "numbers are not negative"]
    assert new == ["new", 1, "1"]


def test_a_stream_that_tritons_client_cancels_holds_up_nothing(triton: Any) -> None:
    """KServe S14."""
    assert triton["cancelled"] == 5


def test_tritons_decoupled_clients_see_the_final_response(triton: Any) -> None:
    """KServe S12."""
    assert triton["final"] is True


def test_tritons_grpc_client_asks_graphs_of_tensors(triton: Any) -> None:
    """KServe G3, G14, J12, U1, U2, U3."""
    seen = triton["grpc"]
    assert seen["inputs"] == [["in", "FP32", [-1]]]
    assert seen["state"] == [5, 5]
    assert seen["side"] == 42
    assert seen["compressed"] == [5, 5]
    assert seen["reserved"] == 5


def test_tritons_grpc_client_is_told_its_mistakes(triton: Any) -> None:
    """KServe G6, G11, G17."""
    seen = triton["grpc"]
    assert seen["empty"][0] == "StatusCode.INVALID_ARGUMENT"
    assert seen["refused"] == ["StatusCode.INVALID_ARGUMENT", "numbers are not negative"]
    assert seen["deadline"][0] == "StatusCode.DEADLINE_EXCEEDED"


def test_tritons_http_client_asks_graphs_of_tensors(triton: Any) -> None:
    """KServe Z2, Z3, Z5, R3, R4, R8, B11, B12, B16, B17, J12, U2, U3."""
    seen = triton["http"]
    assert len(seen["answers"]) == 6
    assert set(seen["answers"].values()) == {5}
    assert (seen["default"], seen["side"], seen["reserved"]) == (5, 42, 5)
    assert seen["extensions"] == ["binary_tensor_data", "model_stream_infer", "model_repository"]
    assert seen["version"] == ["1"]
    assert seen["refused"] == ["400", "numbers are not negative"]
    assert seen["below"] is False


def test_bytes_for_python_nodes_arrive_as_ovms_examples_send_them(triton: Any) -> None:
    """KServe T7."""
    assert triton["python"] == "Grüße"


@pytest.mark.parametrize("protocol", [0, 1], ids=["grpc", "http"])
def test_tritons_clients_unload_and_load_a_model(triton: Any, protocol: int) -> None:
    """KServe P1, P2, P3."""
    before, unloaded, gone, loaded, ready = triton["repository"][protocol]
    assert [before, unloaded, loaded, ready] == ["READY", "UNAVAILABLE", "READY", True]
    assert "The model 'gone' does not exist" in gone[1]


def test_tritons_async_clients_see_the_same(triton: Any) -> None:
    """KServe S2, S10."""
    assert triton["aio"] == {
        "ready": [True, True],
        "grpc": 5,
        "http": 5,
        "stream": [["0", 1], ["1", 3], ["2", 6]],
    }


@pytest.mark.slow
def test_kserves_own_clients_are_answered(run: Any, graphs: Running) -> None:
    """KServe Z1, Z4, R1, R2, R5, J1, A1, G5, G7, G11."""
    seen = run("kserve", ["kserve==0.21.0"], "kserve_sdk.py", rest=graphs.rest, model="total")
    for protocol in ("rest", "grpc"):
        assert seen[protocol]["ready"] == [True, True, True]
        assert seen[protocol]["answers"] == [["the id", "total", [5.0]]] * 3
        assert "The model 'gone' does not exist" in seen[protocol]["gone"]


def test_a_client_without_our_messages_finds_them_by_reflection(
    graphs: Running, client_python: Any
) -> None:
    """KServe G2, G5, G18, G19."""
    python = client_python("reflection", ["grpcio-reflection==1.78.0"])
    done = subprocess.run(
        [python, CLIENTS / "reflection.py"],
        input=json.dumps({"address": graphs.grpc}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "inference.GRPCInferenceService" in seen["services"]
    assert seen["health"] == {"status": "SERVING"}
    assert seen["server"]["name"] == "calcgraph"
    assert seen["infer"]["modelName"] == "total"
    assert seen["infer"]["rawOutputContents"] == ["AACgQA=="]

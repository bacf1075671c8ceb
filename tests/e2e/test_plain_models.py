"""Plain OpenVINO models in the real server, asked by tritonclient over both protocols."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

TRITON = Path(__file__).parent / "clients" / "triton_plain.py"
PROTOCOLS = ("grpc", "http")
GRAPH = """
input_stream: "OVTENSOR1:one"
input_stream: "OVTENSOR2:two"
output_stream: "OVTENSOR:total"
node {
  calculator: "OpenVINOModelServerSessionCalculator"
  output_side_packet: "SESSION:session"
  node_options: { [type.googleapis.com / mediapipe.OpenVINOModelServerSessionCalculatorOptions]: {
    servable_name: "add"
    servable_version: "1"
  } }
}
node {
  calculator: "OpenVINOInferenceCalculator"
  input_side_packet: "SESSION:session"
  input_stream: "A:one"
  input_stream: "B:two"
  output_stream: "SUM:total"
  node_options: { [type.googleapis.com / mediapipe.OpenVINOInferenceCalculatorOptions]: {
    tag_to_input_tensor_names { key: "A" value: "a" }
    tag_to_input_tensor_names { key: "B" value: "b" }
    tag_to_output_tensor_names { key: "SUM" value: "sum" }
  } }
}
"""


@pytest.fixture(scope="module")
def repository(
    save_add: Callable[..., Path], minilm: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two versions of `add` and a graph that asks the first, `fixed` of a static shape, MiniLM without its graph."""
    folder = tmp_path_factory.mktemp("plain")
    for version in (1, 2):
        save_add(folder / "add" / str(version) / "model.xml", more=float(version))
    save_add(folder / "fixed" / "5" / "model.xml")
    (folder / "minilm" / "1").mkdir(parents=True)
    for name in ("openvino_model.xml", "openvino_model.bin"):
        (folder / "minilm" / "1" / name).symlink_to(minilm / name)
    (folder / "total").mkdir()
    (folder / "total" / "graph.pbtxt").write_text(GRAPH)
    f32 = {"INFERENCE_PRECISION_HINT": "f32"}
    configs = [
        {"name": "add", "base_path": "add", "model_version_policy": {"all": {}}, "nireq": 3},
        {"name": "fixed", "base_path": "fixed", "batch_size": 2, "plugin_config": f32},
        {"name": "minilm", "base_path": "minilm", "plugin_config": f32},
    ]
    config = {
        "model_config_list": [{"config": each} for each in configs],
        "mediapipe_config_list": [{"name": "total"}],
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def seen(
    repository: Path, start: Callable[..., Any], client_python: Callable[[str, Sequence[str]], Path]
) -> dict[str, Any]:
    """What tritonclient sees of them."""
    server = start("--config_path", repository / "config.json", "--rest_port", "0", "--port", "0")
    python = client_python("tritonclient", ["tritonclient[grpc,http]"])
    question = json.dumps({"grpc": server.grpc, "rest": server.rest})
    done = subprocess.run(
        [python, TRITON], input=question, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{done.stderr}\n{server.log}"
    assert "Traceback" not in server.log
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metadata_tells_names_datatypes_shapes_versions_and_platform(
    seen: dict[str, Any], protocol: str
) -> None:
    ports = {name: ["FP32", [-1, 3]] for name in ("a", "b", "sum")}
    assert seen[protocol]["metadata"] == ["OpenVINO", ["1", "2"], ports]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_version_answers_and_the_newest_does_for_none(
    seen: dict[str, Any], protocol: str
) -> None:
    first, second = [[3.0, 5.0, 7.0]], [[4.0, 6.0, 8.0]]
    assert seen[protocol]["sums"] == {"": second, "1": first, "2": second}
    assert seen[protocol]["outputs"] == second


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_graph_asks_a_version_of_a_model_beside_it(seen: dict[str, Any], protocol: str) -> None:
    assert seen[protocol]["graph"] == [[3.0, 5.0, 7.0]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_batch_size_fixes_the_shape(seen: dict[str, Any], protocol: str) -> None:
    assert seen[protocol]["fixed"] == [[2.0, 4.0, 6.0]] * 2
    status, message = seen[protocol]["refusals"]["shape"]
    assert status in ("StatusCode.INVALID_ARGUMENT", "400")
    assert message == "Input 'a' has the shape [1, 3]; the model takes [2, 3]."


@pytest.fixture(scope="module")
def mean_hidden_state(minilm: Path) -> np.ndarray:
    """What OpenVINO itself makes of the tokens of "hello world"."""
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(minilm / "openvino_model.xml", "CPU", exact)
    ids = np.array([[101, 7592, 2088, 102]], np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
    request = compiled.create_infer_request()
    for port in compiled.inputs:
        request.set_tensor(port, ov.Tensor(given[port.get_any_name()]))
    request.start_async()
    request.wait()
    return request.get_tensor("last_hidden_state").data.mean(1)  # type: ignore[no-any-return]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_encoder_is_served_by_its_token_ids(
    seen: dict[str, Any], protocol: str, mean_hidden_state: np.ndarray
) -> None:
    np.testing.assert_allclose(seen[protocol]["minilm"], mean_hidden_state, rtol=0, atol=1e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("version", "The model 'add' has no version 7; it has versions 1, 2."),
        ("rank", "Input 'a' has the shape [1, 1, 1]; the model takes [-1, 3]."),
        ("datatype", "Input 'a' has the datatype INT64; the model takes FP32."),
        ("name", "The model has no input 'c'; it has 'a', 'b'"),
        ("missing", "The request has no input 'b'; the model takes 'a', 'b'."),
        ("output", "The model 'add' has no output 'gone'; it has sum."),
        ("uneven", "The model cannot be run on inputs of these shapes: "),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    seen: dict[str, Any], protocol: str, mistake: str, message: str
) -> None:
    status, found = seen[protocol]["refusals"][mistake]
    not_found = mistake == "version"
    assert status in (
        ("StatusCode.NOT_FOUND", "404") if not_found else ("StatusCode.INVALID_ARGUMENT", "400")
    )
    assert found.startswith(message)


def test_a_hundred_at_once_get_their_own_answers(seen: dict[str, Any]) -> None:
    assert seen["at_once"] == [True] * 100


def test_one_model_is_served_by_flags(
    save_add: Callable[..., Path], launch: Any, tmp_path: Path
) -> None:
    save_add(tmp_path / "m" / "1" / "model.xml", shape=(1, 3))
    save_add(tmp_path / "m" / "3" / "model.xml", shape=(1, 3), more=1.0)
    flags = {
        "model_name": "m",
        "model_path": tmp_path / "m",
        "shape": '{"a": "(2,3)", "b": "(2,3)"}',
        "nireq": "2",
        "plugin_config": '{"NUM_STREAMS": "1"}',
        "target_device": "CPU",
        "model_version_policy": '{"specific": {"versions": [1]}}',
        "rest_port": "0",
    }
    server = launch(*(str(word) for name, value in flags.items() for word in (f"--{name}", value)))
    status, metadata = server.get("/v2/models/m")
    assert status == 200
    assert metadata["versions"] == ["1"]
    assert [port["shape"] for port in metadata["inputs"]] == [[2, 3], [2, 3]]


def test_a_setting_that_cannot_be_had_ends_the_start_with_a_sentence(
    save_add: Callable[..., Path], refusal: Callable[..., str], tmp_path: Path
) -> None:
    save_add(tmp_path / "m" / "1" / "model.xml")
    model = ["--model_name", "m", "--model_path", tmp_path / "m", "--rest_port", "0"]
    assert "did you mean NUM_STREAMS" in refusal(*model, "--plugin_config", '{"NUM_STREAM": 2}')

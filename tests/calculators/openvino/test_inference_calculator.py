"""Served models as nodes of a graph: sessions and inferences."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError, StatusError
from calcgraph.runtime.payload import InferRequest, Tensor
from calcgraph.runtime.registry import REGISTRY
from calcgraph.runtime.services import MODELS
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.model_config import single_model
from calcgraph.servers.repository.opening import open_graph
from calcgraph.servers.repository.repository import Repository

SESSION = """
node {{
  calculator: "OpenVINOModelServerSessionCalculator"
  output_side_packet: "SESSION:session"
  node_options: {{ [type.googleapis.com / mediapipe.OpenVINOModelServerSessionCalculatorOptions]: {{
    servable_name: "{name}"
    {version}
  }} }}
}}
"""

INFERENCE = """
input_stream: "OVTENSOR_A:one"
input_stream: "OVTENSOR_B:two"
output_stream: "OVTENSOR:total"
node {
  calculator: "OpenVINOInferenceCalculator"
  input_side_packet: "SESSION:session"
  input_stream: "A:one"
  input_stream: "OVTENSOR:two"
  output_stream: "OVTENSOR:total"
  node_options: { [type.googleapis.com / mediapipe.OpenVINOInferenceCalculatorOptions]: {
    tag_to_input_tensor_names { key: "A" value: "a" }
    tag_to_input_tensor_names { key: "OVTENSOR" value: "b" }
    tag_to_output_tensor_names { key: "OVTENSOR" value: "sum" }
  } }
}
"""

LISTS = """
input_stream: "OVTENSOR_A:one"
input_stream: "OVTENSOR_B:two"
output_stream: "OVTENSOR:total"
node { calculator: "PairToList" input_stream: "A:one" input_stream: "B:two" output_stream: "LIST:both" }
node {
  calculator: "OpenVINOInferenceCalculator"
  input_side_packet: "SESSION:session"
  input_stream: "OVTENSORS:both"
  output_stream: "OVTENSORS:totals"
  node_options: { [type.googleapis.com / mediapipe.OpenVINOInferenceCalculatorOptions]: {
    input_order_list: "b"
    input_order_list: "a"
    output_order_list: "sum"
    output_order_list: "sum"
  } }
}
node { calculator: "SumOfList" input_stream: "LIST:totals" output_stream: "TOTAL:total" }
"""

ROWS = np.array([[1, 2, 3]], np.float32)


class PairToList(Calculator):
    inputs = {"A": np.ndarray, "B": np.ndarray}
    outputs = {"LIST": list}

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["LIST"].add([cc.inputs["A"].value, cc.inputs["B"].value])


class SumOfList(Calculator):
    inputs = {"LIST": list}
    outputs = {"TOTAL": np.ndarray}

    def process(self, cc: CalculatorContext) -> None:
        cc.outputs["TOTAL"].add(np.sum(cc.inputs["LIST"].value, axis=0))


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    for calculator in (PairToList, SumOfList):
        REGISTRY.register(calculator.__name__, calculator)


@pytest.fixture
def ask(save_add: Callable[..., Path], tmp_path: Path) -> Callable[..., Any]:
    """Serve `add` in two versions beside a graph, and ask the graph to add."""
    for version in (1, 2):
        save_add(tmp_path / "add" / str(version) / "model.xml", more=10.0 * version)
    (tmp_path / "graph").mkdir()

    def run(graph: str, name: str = "add", version: str = "", **inputs: Any) -> Any:
        text = SESSION.format(name=name, version=version) + graph
        (tmp_path / "graph" / "graph.pbtxt").write_text(text)
        rows = {"one": ROWS, "two": ROWS} | inputs
        tensors = [Tensor(each, "FP32", array) for each, array in rows.items()]

        async def live() -> Any:
            services: dict[str, Any] = {}
            repository = Repository(partial(open_graph, services=services))
            services[MODELS] = plane = DataPlane(repository)
            everything = {"model_version_policy": {"all": {}}}
            repository.register(single_model("add", tmp_path / "add", everything))
            repository.register(single_model("graph", tmp_path / "graph", {}))
            try:
                for each in plane.names:
                    await plane.load(each)
                answer = await plane.infer("graph", InferRequest("graph", tensors))
            finally:
                await repository.close()
            (total,) = answer.outputs
            assert total.name == "total"
            return total.data.tolist()

        return asyncio.run(live())

    return run


@pytest.mark.parametrize(
    ("version", "more"), [("", 20), ('servable_version: "1"', 10), ('servable_version: "0"', 20)]
)
def test_a_graph_infers_a_version_of_a_served_model(ask: Any, version: str, more: int) -> None:
    assert ask(INFERENCE, version=version) == (ROWS * 2 + more).tolist()


def test_lists_are_in_the_order_that_the_options_give(ask: Any) -> None:
    assert ask(LISTS) == ((ROWS * 2 + 20) * 2).tolist()


def test_inputs_that_the_model_does_not_take_are_the_caller_s_mistake(ask: Any) -> None:
    with pytest.raises(RequestError, match=r"Input 'b' has the shape \[3\]; the model takes"):
        ask(INFERENCE, two=ROWS[0])


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("gone", "", "the session's model is not served: The model 'gone' does not exist"),
        ("add", 'servable_version: "7"', "not served: The model 'add' has no version 7"),
    ],
)
def test_a_session_of_a_model_that_is_not_served_is_the_graph_s_mistake(
    ask: Any, name: str, version: str, message: str
) -> None:
    with pytest.raises(StatusError, match=message) as failed:
        ask(INFERENCE, name=name, version=version)
    assert not isinstance(failed.value, RequestError)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('value: "sum"', 'value: "total"', "the model 'add' has no output 'total'; it has sum"),
        ('key: "A" value', 'key: "X" value', "tag_to_input_tensor_names has the tag 'X'"),
        ('input_order_list: "a"', "", "input_order_list names 1 tensors, the packet has 2"),
        (
            'input_order_list: "b"\n    input_order_list: "a"',
            "",
            "input_order_list has to name the inputs",
        ),
    ],
)
def test_options_that_do_not_fit_are_told(ask: Any, old: str, new: str, message: str) -> None:
    graph = INFERENCE if old in INFERENCE else LISTS
    assert old in graph
    with pytest.raises(StatusError, match=message):
        ask(graph.replace(old, new))

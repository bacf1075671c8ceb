"""Graphs of Python nodes as a server runs them, without front ends."""

import asyncio
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.python_nodes.python_executor_calculator import PythonExecutorCalculator
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.payload import InferRequest, InferResponse, RawTensor
from calcgraph.runtime.tensors import decoded
from calcgraph.runtime.validation import plan_graph

HANDLER = """
import numpy as np
from pyovms import Tensor

class OvmsPythonModel:
    def initialize(self, kwargs):
        self.output_name = kwargs["output_names"][0]

    def execute(self, inputs):
        {body}
"""

NODE = """
node {{
  name: "{name}"
  calculator: "PythonExecutorCalculator"
  input_side_packet: "PYTHON_NODE_RESOURCES:py"
  {inputs}
  output_stream: "OUTPUT:{output}"
  node_options {{ [type.googleapis.com / mediapipe.PythonExecutorCalculatorOptions]: {{
    handler_path: "{file}"
  }} }}
}}
"""

GENERATOR = """
input_stream: "OVMS_PY_TENSOR:number"
output_stream: "OVMS_PY_TENSOR:next"
node {
  name: "counter"
  calculator: "PythonExecutorCalculator"
  input_side_packet: "PYTHON_NODE_RESOURCES:py"
  input_stream: "LOOPBACK:loopback"
  input_stream: "INPUT:number"
  input_stream_info: { tag_index: "LOOPBACK:0", back_edge: true }
  input_stream_handler {
    input_stream_handler: "SyncSetInputStreamHandler"
    options { [mediapipe.SyncSetInputStreamHandlerOptions.ext] {
      sync_set { tag_index: "LOOPBACK:0" }
    } }
  }
  output_stream: "LOOPBACK:loopback"
  output_stream: "OUTPUT:next"
  node_options { [type.googleapis.com / mediapipe.PythonExecutorCalculatorOptions]: {
    handler_path: "model.py"
  } }
}
"""

Serve = Callable[..., Any]


def one_node(
    inputs: Sequence[str] = ("INPUT:x",), output: str = "y", file: str = "model.py"
) -> str:
    names = [each.split(":")[1] for each in inputs]
    streams = "".join(
        f'input_stream: "OVMS_PY_TENSOR_{n}:{name}"\n' for n, name in enumerate(names)
    )
    node = NODE.format(
        name="node",
        inputs="\n".join(f'input_stream: "{each}"' for each in inputs),
        output=output,
        file=file,
    )
    return f'{streams}output_stream: "OVMS_PY_TENSOR:{output}"\n{node}'


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Open a model of a graph and one handler, act on it, close it."""

    def run(graph: str, body: str, act: Callable[[GraphExecutor], Any]) -> Any:
        (tmp_path / "graph.pbtxt").write_text(graph)
        (tmp_path / "model.py").write_text(HANDLER.format(body=body))

        async def live() -> Any:
            model = await GraphExecutor.open("m", tmp_path / "graph.pbtxt")
            try:
                return await act(model)
            finally:
                await model.close()

        return asyncio.run(live())

    return run


def raw(name: str, array: np.ndarray[Any, Any]) -> RawTensor:
    return RawTensor(name, "FP32", array.shape, array.astype(np.float32).tobytes())


def ask(model: GraphExecutor, *tensors: RawTensor) -> Any:
    return model.infer(InferRequest("m", [], raw_inputs=tensors))


def test_a_node_answers_with_the_tensors_it_returns(serve: Serve) -> None:
    body = "return [Tensor(self.output_name, np.array(inputs[0]) + 1)]"
    answer: InferResponse = serve(
        one_node(), body, lambda model: ask(model, raw("x", np.ones((1, 2))))
    )
    (tensor,) = answer.outputs
    assert (tensor.name, tensor.datatype, tensor.shape) == ("y", "FP32", (1, 2))
    assert decoded(tensor).data.tolist() == [[2, 2]]


def test_another_code_is_another_fingerprint(serve: Serve) -> None:
    async def fingerprint(model: GraphExecutor) -> str:
        return model.metadata.fingerprint

    found = [serve(one_node(), body, fingerprint) for body in ("return []", "return list()")]
    assert found[0] != found[1]
    assert found[0] == serve(one_node(), "return []", fingerprint)


def test_texts_are_bytes_behind_their_lengths_both_ways(serve: Serve) -> None:
    body = """data = bytes(inputs[0]).upper()
        return [Tensor(self.output_name, data, shape=inputs[0].shape, datatype="BYTES")]"""
    words = RawTensor(
        "x", "BYTES", (2,), b"".join(struct.pack("<I", 2) + w for w in (b"ab", b"cd"))
    )
    answer = serve(one_node(), body, lambda model: ask(model, words))
    assert decoded(answer.outputs[0]).data.tolist() == [b"AB", b"CD"]


def test_inputs_come_in_the_order_of_their_tags(serve: Serve) -> None:
    body = """names = ",".join(tensor.name for tensor in inputs)
        return [Tensor(self.output_name, names.encode())]"""
    graph = one_node(["B:b", "A:a", "C:c"])
    tensors = [raw(name, np.ones(1)) for name in "abc"]
    answer = serve(graph, body, lambda model: ask(model, *tensors))
    assert answer.outputs[0].raw == b"a,b,c"


def test_nodes_hand_each_other_the_tensor_itself(serve: Serve) -> None:
    body = """made = np.array(["word"]) if inputs[0].data.format == "f" else None
        if made is None:
            made = np.array([inputs[0].data.format == "4w", inputs[0].datatype == "4w"])
        return [Tensor(self.output_name, made)]"""
    nodes = [("one", "x", "between"), ("two", "between", "y")]
    graph = 'input_stream: "OVMS_PY_TENSOR:x"\noutput_stream: "OVMS_PY_TENSOR:y"\n' + "".join(
        NODE.format(name=name, inputs=f'input_stream: "INPUT:{i}"', output=o, file="model.py")
        for name, i, o in nodes
    )
    answer = serve(graph, body, lambda model: ask(model, raw("x", np.ones(1))))
    assert decoded(answer.outputs[0]).data.tolist() == [True, True]


def test_requests_run_on_threads_and_do_not_hold_up_the_loop(serve: Serve) -> None:
    body = """import threading
        return [Tensor(self.output_name, threading.current_thread().name.encode())]"""
    answer = serve(one_node(), body, lambda model: ask(model, raw("x", np.ones(1))))
    assert answer.outputs[0].raw.decode() != threading.main_thread().name


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no such word')", "failed: ValueError: no such word"),
        ("return None", "failed: execute returned nothing; expected a list of Tensor"),
        ("return inputs[0]", "failed: execute returned a Tensor; expected a list of Tensor"),
        ("return [b'bytes']", "failed: execute gave a bytes for a tensor"),
        ("return [Tensor('z', b'')]", "gave a tensor named 'z'; the outputs are 'y'"),
        ("yield [Tensor('y', b'')]", "failed: execute yields, for which the node needs LOOPBACK"),
        ("return [Tensor('y', 'text')]", "failed: TypeError: "),
    ],
)
def test_a_handler_that_fails_is_told_and_the_next_request_is_served(
    body: str, message: str, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = f"""if np.array(inputs[0]).sum() == 0:
            return [Tensor("y", b"good")]
        {body}"""
    if body.startswith("yield"):
        guarded = f"""return self.good() if np.array(inputs[0]).sum() == 0 else self.bad()

    def good(self):
        return [Tensor("y", b"good")]

    def bad(self):
        {body}"""

    async def bad_then_good(model: GraphExecutor) -> Any:
        with pytest.raises(RequestError) as refused:
            await ask(model, raw("x", np.ones(1)))
        assert refused.value.code is Code.INTERNAL
        assert message in refused.value.message
        assert "The Python node 'node' failed" in refused.value.message
        return await ask(model, raw("x", np.zeros(1)))

    assert serve(one_node(), guarded, bad_then_good).outputs[0].raw == b"good"
    assert "model.py" in caplog.text


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            one_node(file="gone.py"),
            r"graph\.pbtxt:\d+:\d+: node 'node': .*gone\.py: there is no such",
        ),
        (one_node(file="/etc/hostname"), "lies outside of the model's folder"),
        (one_node().replace("INPUT:x", "LOOPBACK:x"), "LOOPBACK is an input and an output"),
    ],
)
def test_a_graph_whose_node_cannot_be_loaded_is_told(
    graph: str, message: str, serve: Serve
) -> None:
    with pytest.raises(StatusError, match=message):
        serve(graph, "return []", lambda model: None)


@dataclass
class Counting:
    """A started graph of the generator, and what it has written so far: time and number."""

    graph: CalculatorGraph
    model: Any
    """The handler's object."""
    seen: list[tuple[int, int]] = field(default_factory=list)


def counting(tmp_path: Path, body: str) -> Counting:
    handler = HANDLER.format(body=body).replace('["output_names"][0]', '["output_names"][1]')
    (tmp_path / "model.py").write_text(handler)
    plan = plan_graph(read_graph(GENERATOR, "graph.pbtxt"), base_path=tmp_path)
    code = PythonExecutorCalculator.load(plan.nodes[0], plan)
    run = Counting(CalculatorGraph(plan=plan, resources={0: code}), code._model)
    run.graph.observe_output_stream(
        "next", lambda _, packet: run.seen.append((packet.timestamp, packet.value.raw[0]))
    )
    run.graph.start_run()
    return run


COUNT = """for number in range(inputs[0].data[0]):
            yield [Tensor(self.output_name, bytes([number]))]"""


def number(value: int, time: int) -> Packet:
    return Packet(RawTensor("number", "UINT8", (1,), bytes([value])), time)


def test_a_generator_writes_at_one_time_after_the_other(tmp_path: Path) -> None:
    run = counting(tmp_path, COUNT)
    run.graph.add_packet_to_input_stream("number", number(3, 10))
    run.graph.wait_until_idle()
    assert run.seen == [(10, 0), (11, 1), (12, 2)]
    run.graph.add_packet_to_input_stream("number", number(2, 20))
    run.graph.wait_until_idle()
    assert run.seen[3:] == [(20, 0), (21, 1)]
    run.graph.close_all_packet_sources()
    run.graph.wait_until_done()


def test_a_generator_that_yields_nothing_leaves_the_node_free(tmp_path: Path) -> None:
    run = counting(tmp_path, COUNT)
    run.graph.add_packet_to_input_stream("number", number(0, 1))
    run.graph.add_packet_to_input_stream("number", number(1, 5))
    run.graph.wait_until_idle()
    assert run.seen == [(5, 0)]
    run.graph.close_all_packet_sources()
    run.graph.wait_until_done()


def test_a_generator_goes_on_after_the_last_request(tmp_path: Path) -> None:
    run = counting(tmp_path, COUNT)
    run.graph.add_packet_to_input_stream("number", number(50, 1))
    run.graph.close_all_packet_sources()
    run.graph.wait_until_done()
    assert [value for _, value in run.seen] == list(range(50))


HELD_UP = """yield [Tensor(self.output_name, bytes([1]))]
        self.reached.set()
        self.go_on.wait(20)
        yield [Tensor(self.output_name, bytes([2]))]

    import threading
    reached, go_on = threading.Event(), threading.Event()"""


def test_a_request_of_a_later_time_waits_for_the_generator(tmp_path: Path) -> None:
    run = counting(tmp_path, HELD_UP)
    run.graph.add_packet_to_input_stream("number", number(1, 1))
    assert run.model.reached.wait(20)
    run.graph.add_packet_to_input_stream("number", number(1, 100))
    run.model.go_on.set()
    run.graph.wait_until_idle()
    assert run.seen == [(1, 1), (2, 2), (100, 1), (101, 2)]
    run.graph.close_all_packet_sources()
    run.graph.wait_until_done()


def test_a_request_of_a_time_that_the_generator_has_passed_is_refused(tmp_path: Path) -> None:
    run = counting(tmp_path, HELD_UP)
    run.graph.add_packet_to_input_stream("number", number(1, 1))
    assert run.model.reached.wait(20)
    run.graph.add_packet_to_input_stream("number", number(1, 2))
    run.model.go_on.set()
    with pytest.raises(StatusError, match="still answers the request before"):
        run.graph.wait_until_done()

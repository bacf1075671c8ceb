"""A graph that is served: opened, asked by the names of its streams, with the parameters of requests."""

import asyncio
import itertools
import re

import numpy as np
import pytest
from trial import node
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.errors import Code, GraphError, RequestError, StatusError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import (
    HttpRequest,
    HttpResponse,
    InferRequest,
    InferResponse,
    RawTensor,
    Tensor,
    TensorSpec,
)

_numbers = itertools.count()


def served(kind):
    head = 'package: "trial" input_stream: "in" output_stream: "out"\n'
    return head + node(kind, "in", "out", 'name: "the_node"')


def opened(folder, load):
    """Opens a graph whose only calculator has that `load`."""
    name = f"Loads{next(_numbers)}"

    class Loads(AnyToAny):
        @classmethod
        def load(cls, node, graph):
            return load()

    trial(name)(Loads)
    (folder / "graph.pbtxt").write_text(served(name))

    async def main():
        executor = await GraphExecutor.open("m", folder / "graph.pbtxt")
        await executor.close()

    asyncio.run(main())


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError])
def test_what_the_author_of_the_graph_can_mend_is_told_at_its_line(tmp_path, error):
    def load():
        raise error("no such model")

    with pytest.raises(GraphError, match=r"graph.pbtxt:2:1: node 'the_node': no such model"):
        opened(tmp_path, load)


@pytest.mark.parametrize("error", [TypeError, RuntimeError, KeyError])
def test_any_other_exception_names_node_method_and_cause(tmp_path, error):
    """Rule E5."""

    def load():
        raise error("a mistake")

    expected = rf'Calculator::load\(\) for node "the_node" failed: {error.__name__}: .*a mistake'
    with pytest.raises(RuntimeError, match=expected):
        opened(tmp_path, load)


SUM = """
input_stream: "a" input_stream: "OVTENSOR:b" output_stream: "sum" output_stream: "TENSOR:double"
node { calculator: "trial.Sum" input_stream: "A:a" input_stream: "B:b" output_stream: "SUM:sum"
       output_stream: "DOUBLE:double" }
"""


@trial("Sum")
class Sum(Calculator):
    """The sum, and twice the sum."""

    inputs = {"A": np.ndarray, "B": np.ndarray}
    outputs = {"SUM": np.ndarray, "DOUBLE": np.ndarray}
    stateless = True
    light = True

    @classmethod
    def describe(cls, node, resource, upstream):
        shape = {"a": (-1, 2), "b": (-1, 2), "sum": (-1, 2), "double": (-1, 2)}
        return {
            "stream_specs": {name: TensorSpec(name, "FP32", each) for name, each in shape.items()}
        }

    def process(self, cc):
        total = cc.inputs["A"].value + cc.inputs["B"].value
        cc.outputs["SUM"].add(total)
        cc.outputs["DOUBLE"].add(total * 2)


@trial("Counts")
class Counts(AnyToAny):
    """How many packets this instance has seen; with a side packet `start`, from there on."""

    def open(self, cc):
        self.seen = cc.input_side_packets["START"].value if "START" in cc.input_side_packets else 0

    def process(self, cc):
        self.seen += 1
        cc.outputs[0].add(np.array([self.seen]))


@trial("Sieve")
class Sieve(AnyToAny):
    """Lets no zeros through."""

    stateless = True

    def process(self, cc):
        if cc.inputs[0].value.any():
            cc.outputs[0].add(cc.inputs[0].value)


@trial("AtClose")
class AtClose(AnyToAny):
    """Answers when its input has ended."""

    def process(self, cc):
        self.last = cc.inputs[0].value

    def close(self, cc):
        cc.outputs[0].add(self.last, 10**17)


@pytest.fixture
def ask(tmp_path):
    """Open a graph and put requests to it, one after the other; returns the answers or the errors."""

    def run(graph, *requests):
        (tmp_path / "graph.pbtxt").write_text(graph)

        async def main():
            executor = await GraphExecutor.open("m", tmp_path / "graph.pbtxt")
            answers = []
            for request in requests:
                try:
                    answers.append(await executor.infer(request))
                except StatusError as error:
                    answers.append(error)
            await executor.close()
            return executor, answers

        return asyncio.run(main())

    return run


def request(**values):
    inputs = [
        value if isinstance(value, Tensor) else Tensor(name, "FP32", np.array([value], np.float32))
        for name, value in values.items()
        if name != "parameters"
    ]
    return InferRequest("m", inputs, parameters=values.get("parameters", {}))


def one(kind, more=""):
    """A graph of one node with one input and one output."""
    return (
        f'input_stream: "in" output_stream: "out" {more}\n'
        f'node {{ calculator: "trial.{kind}" input_stream: "in" output_stream: "out" }}'
    )


def test_a_graph_of_several_inputs_and_outputs_is_asked_by_the_names_of_its_streams(ask):
    """KServe U1, U4, G8."""
    _, (answer,) = ask(SUM, request(b=[1, 2], a=[10, 20]))
    assert [(t.name, t.datatype, t.data.tolist()) for t in answer.outputs] == [
        ("sum", "FP32", [[11, 22]]),
        ("double", "FP32", [[22, 44]]),
    ]
    assert answer.parameters.keys() == {"OVMS_MP_TIMESTAMP"}


def test_metadata_tell_the_streams_with_their_true_datatypes_and_shapes(ask):
    """KServe G3, T10."""
    executor, _ = ask(SUM)
    specs = [TensorSpec("a", "FP32", (-1, 2)), TensorSpec("b", "FP32", (-1, 2))]
    assert list(executor.metadata.inputs) == specs
    assert [spec.name for spec in executor.metadata.outputs] == ["sum", "double"]


def test_of_a_stream_of_which_nothing_is_known_that_is_told(ask):
    """KServe T10."""
    executor, _ = ask(one("Counts"))
    assert list(executor.metadata.inputs) == [TensorSpec("in", "INVALID", ())]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (request(a=[1, 2]), "has no input 'b'; this model takes 'a', 'b'"),
        (request(a=[1, 2], b=[1, 2], c=[1]), "The model has no input 'c'; it takes 'a', 'b'"),
        (request(a=[1, 2], bb=[1, 2]), "has no input 'bb'; it takes 'a', 'b'; did you mean 'b'"),
        (request(a=[1, 2], b=[1, 2, 3]), r"'b' has the shape \[1, 3\]; this model takes \[-1, 2\]"),
        (
            request(a=[1, 2], b=Tensor("b", "INT8", np.zeros((1, 2), np.int8))),
            "'b' has the datatype INT8; this model takes FP32",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_named(ask, wrong, message):
    """KServe M1, M3, D2."""
    _, (refused, answer) = ask(SUM, wrong, request(a=[1, 2], b=[1, 2]))
    assert isinstance(refused, RequestError)
    assert refused.code == Code.INVALID_ARGUMENT
    assert re.search(message, refused.message)
    assert len(answer.outputs) == 2


def test_what_one_request_leaves_behind_the_next_does_not_see(ask):
    """KServe U1."""
    _, answers = ask(one("Counts"), *[request(**{"in": [1]})] * 3)
    assert [answer.outputs[0].data.tolist() for answer in answers] == [[1], [1], [1]]


def test_a_graph_may_be_kept_for_the_next_request_if_its_author_says_so(ask):
    """KServe U3."""
    pooled = "# OVMS_GRAPH_QUEUE_MAX_SIZE: {}\n" + one("Counts")
    for size, seen in [("AUTO", 3), ("1", 3), ("0", 1)]:
        _, answers = ask(pooled.replace("{}", size), *[request(**{"in": [1]})] * 3)
        assert answers[-1].outputs[0].data.tolist() == [seen]


@pytest.mark.parametrize("head", ["", "# OVMS_GRAPH_QUEUE_MAX_SIZE: AUTO\n"])
def test_parameters_become_side_packets_of_a_graph_of_their_own(ask, head):
    """KServe U2, U3."""
    graph = head + one("Counts", 'input_side_packet: "start"').replace(
        'input_stream: "in" output_stream: "out" }',
        'input_stream: "in" output_stream: "out" input_side_packet: "START:start" }',
    )
    wanted = request(**{"in": [1]}, parameters={"start": 41, "binary_data_output": True})
    missing = request(**{"in": [1]}, parameters={"sequence_id": 4})
    _, (answer, error) = ask(graph, wanted, missing)
    assert answer.outputs[0].data.tolist() == [42]
    assert error.code == Code.FAILED_PRECONDITION
    assert 'Side packet "start" is required but was not provided' in error.message


def test_parameters_that_a_graph_does_not_read_are_ignored(ask):
    """KServe U2, U3."""
    given = {"start": 1, "priority": 2, "timeout": 3, "anything": 0.5}
    _, (answer,) = ask(SUM, request(a=[1, 2], b=[1, 2], parameters=given))
    assert answer.outputs[0].data.tolist() == [[2, 4]]


def test_the_time_of_a_request_comes_back(ask):
    """KServe S5, U1, U4."""
    at = [{"OVMS_MP_TIMESTAMP": time} for time in (5, 5, -7)]
    _, answers = ask(SUM, *[request(a=[1, 2], b=[1, 2], parameters=p) for p in at])
    assert [answer.parameters["OVMS_MP_TIMESTAMP"] for answer in answers] == [5, 5, -7]
    _, (refused,) = ask(SUM, request(a=[1, 2], b=[1, 2], parameters={"OVMS_MP_TIMESTAMP": "5"}))
    assert isinstance(refused, RequestError)


@pytest.mark.parametrize("head", ["", "# OVMS_GRAPH_QUEUE_MAX_SIZE: 0\n"])
def test_a_request_for_which_the_graph_writes_nothing_is_refused(ask, head):
    """KServe U1."""
    _, (refused, answer) = ask(head + one("Sieve"), request(**{"in": [0]}), request(**{"in": [1]}))
    assert refused.code == Code.INVALID_ARGUMENT
    assert "gave nothing on its output 'out'" in refused.message
    assert answer.outputs[0].data.tolist() == [[1]]


def test_a_calculator_may_answer_when_its_input_has_ended(ask):
    _, (answer,) = ask(one("AtClose"), request(**{"in": [3]}))
    assert answer.outputs[0].data.tolist() == [[3]]


def test_a_graph_that_reads_whole_requests_and_says_nothing_gets_them_by_its_streams_name(ask):
    """KServe T1, T2."""

    @trial("Whole")
    class Whole(AnyToAny):
        stateless = True

        def process(self, cc):
            (name,) = (tensor.name for tensor in cc.inputs["REQUEST"].value.inputs)
            answer = InferResponse([Tensor("any", "BYTES", np.array([name.encode()], object))])
            cc.outputs["RESPONSE"].add(answer)

    graph = """
    input_stream: "REQUEST:r" output_stream: "RESPONSE:s"
    node { calculator: "trial.Whole" input_stream: "REQUEST:r" output_stream: "RESPONSE:s" }
    """
    _, (answer, refused) = ask(graph, request(r=[1]), request(q=[1]))
    assert [(t.name, t.data.tolist()) for t in answer.outputs] == [("any", [b"r"])]
    assert "The model has no input 'q'; it takes 'r'" in refused.message


@pytest.mark.parametrize("tag", ["HTTP_REQUEST_PAYLOAD", "REQUEST_PAYLOAD"])
def test_a_graph_that_reads_json_does_not_speak_kserve(ask, tag):
    """KServe G11, U6."""

    @trial(f"Json{tag}")
    class Json(Calculator):
        inputs = {tag: HttpRequest}
        outputs = {"RESPONSE": HttpResponse}

        def process(self, cc):
            cc.outputs["RESPONSE"].add(HttpResponse(b"{}"))

    graph = f"""
    input_stream: "{tag}:r" output_stream: "RESPONSE:s"
    node {{ calculator: "trial.Json{tag}" input_stream: "{tag}:r" output_stream: "RESPONSE:s" }}
    """
    _, (refused, answer) = ask(graph, request(r=[1]), HttpRequest("/p", {}))
    assert refused.code == Code.FAILED_PRECONDITION
    assert "does not speak the Open Inference Protocol" in refused.message
    assert answer.body == b"{}"


def test_a_graph_of_tensors_does_not_speak_openai(ask):
    _, (refused,) = ask(SUM, HttpRequest("/p", {}))
    assert (refused.code, "the OpenAI API" in refused.message) == (Code.FAILED_PRECONDITION, True)


def test_a_stream_that_no_request_can_feed_is_the_authors_mistake(ask):
    @trial("WantsInt")
    class WantsInt(Calculator):
        inputs = {"": int}
        outputs = {"": int}

        def process(self, cc):
            """Never asked."""

    with pytest.raises(
        GraphError, match=r"graph.pbtxt:1:1: input_stream 'in' of the graph is read as int"
    ):
        ask(one("WantsInt"))


def test_python_tensors_and_texts_reach_the_graph_as_they_are(ask):
    """KServe T7, T9."""

    @trial("Shout")
    class Shout(Calculator):
        inputs = {"TEXT": list, "PY": RawTensor}
        outputs = {"TEXT": list, "PY": RawTensor}

        def process(self, cc):
            cc.outputs["TEXT"].add([text.upper() for text in cc.inputs["TEXT"].value])
            cc.outputs["PY"].add(cc.inputs["PY"].value)

    graph = """
    input_stream: "TEXT:t" input_stream: "OVMS_PY_TENSOR:p"
    output_stream: "TEXT:upper" output_stream: "OVMS_PY_TENSOR:same"
    node { calculator: "trial.Shout" input_stream: "TEXT:t" input_stream: "PY:p"
           output_stream: "TEXT:upper" output_stream: "PY:same" }
    """
    raw = RawTensor("p", "own_type", (5,), b"\1\2\3")
    texts = Tensor("t", "BYTES", np.array([b"a", b"b"], object))
    executor, (answer,) = ask(graph, InferRequest("m", [texts], raw_inputs=[raw]))
    assert executor.metadata.raw_inputs == {"p"}
    assert executor.metadata.inputs[0] == TensorSpec("t", "BYTES", (-1,))
    assert answer.outputs[0].data.tolist() == [b"A", b"B"]
    assert answer.outputs[1] == RawTensor("same", "own_type", (5,), b"\1\2\3")


def test_a_graph_with_a_source_of_its_own_is_not_kept(ask):
    @trial("Once")
    class Once(Calculator):
        outputs = {"": np.ndarray}

        def process(self, cc):
            cc.outputs[0].add(np.array([7]), 1)
            return STOP

    graph = """
    # OVMS_GRAPH_QUEUE_MAX_SIZE: AUTO
    input_stream: "in" output_stream: "out" output_stream: "once"
    node { calculator: "trial.Counts" input_stream: "in" output_stream: "out" }
    node { calculator: "trial.Once" output_stream: "once" }
    """
    _, answers = ask(graph, *[request(**{"in": [1]})] * 2)
    assert [[t.data.tolist() for t in answer.outputs] for answer in answers] == [[[1], [7]]] * 2


def test_what_calculators_count_is_summed_over_all_graphs(tmp_path):
    @trial("CountsCalls")
    class CountsCalls(AnyToAny):
        def process(self, cc):
            cc.counter("calls").increment()
            cc.outputs[0].add(cc.inputs[0].value)

    (tmp_path / "graph.pbtxt").write_text(served("CountsCalls"))

    async def main():
        executor = await GraphExecutor.open("m", tmp_path / "graph.pbtxt")
        try:
            request = InferRequest("m", [Tensor("in", "FP32", np.zeros(1, np.float32))])
            await asyncio.gather(*(executor.infer(request) for _ in range(3)))
            return {
                each.labels["counter"]: each.value
                for each in executor.measurements()
                if each.name == "counter"
            }
        finally:
            await executor.close()

    assert asyncio.run(main()) == {"the_node-calls": 3}

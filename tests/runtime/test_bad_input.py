"""Whatever is wrong, in a graph or in a calculator's code, ends in an error that says where and what."""

import asyncio
import gc
import threading
import time

import pytest
from trial import Trial, inputs, node, options
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.errors import Code, GraphError, StatusError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet

METHODS = ["__init__", "load", "open", "process", "close"]
CAUSES = [ValueError, KeyError, AssertionError]


def places(text):
    with pytest.raises(GraphError) as failure:
        CalculatorGraph(graph_config=text)
    return [str(problem).partition(": ")[0] for problem in failure.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('node {\n  calculater: "A"\n}\n num_thread: 1', ["<graph>:2:3", "<graph>:4:2"]),
        ("max_queue_size: 'x'\nnode { max_in_flight: y }", ["<graph>:1:17", "<graph>:2:23"]),
        (
            'node {\n  calculator: "Nobody"\n}\nnode {\n   calculator: "Nemo"\n}',
            ["<graph>:2:3", "<graph>:5:4"],
        ),
        (
            'node { calculator: "PassThroughCalculator"\n input_stream: "x"\n output_stream: "y" }\n'
            'node { calculator: "PassThroughCalculator"\n  input_stream: "z"\n  output_stream: "y" }',
            ["<graph>:2:2", "<graph>:5:3", "<graph>:6:3"],
        ),
        (
            'node { calculator: "PassThroughCalculator" input_stream: "A:x" output_stream: "B:y" }\n'
            'input_stream: "x"\n executor { name: "gpu" }',
            ["<graph>:1:1", "<graph>:3:2"],
        ),
    ],
    ids=["fields", "values", "calculators", "streams", "a contract and an executor"],
)
def test_all_mistakes_of_a_graph_are_told_with_line_and_column(text, expected):
    assert places(text) == expected


class Clumsy(AnyToAny):
    """Fails in the method that the test chose, with the error that it chose."""

    light = True
    method = ""
    error: type[Exception] = ValueError

    @classmethod
    def _perhaps(cls, method):
        if cls.method == method:
            raise cls.error("told to fail")

    def __init__(self):
        self._perhaps("__init__")

    @classmethod
    def contract(cls, contract):
        super().contract(contract)
        cls._perhaps("contract")

    @classmethod
    def load(cls, node, graph):
        cls._perhaps("load")

    def open(self, cc):
        self._perhaps("open")

    def process(self, cc):
        self._perhaps("process")
        for key in cc.inputs:
            cc.outputs[key].add_packet(cc.inputs[key])

    def close(self, cc):
        self._perhaps("close")


@trial("ClumsyLight")
class ClumsyLight(Clumsy):
    pass


@trial("ClumsyThread")
class ClumsyThread(Clumsy):
    light = False


@trial("ClumsyTask")
class ClumsyTask(Clumsy):
    light = False

    async def process(self, cc):
        await asyncio.sleep(0)
        super().process(cc)


KINDS = {"ClumsyLight": ClumsyLight, "ClumsyThread": ClumsyThread, "ClumsyTask": ClumsyTask}
TEXT = inputs("in") + node("Pass", "in", "a") + "%s" + node("Pass", "b", "out")


def clumsy(kind):
    return TEXT % node(kind, "a", "b", 'name: "the_node"')


def run(graph):
    graph.start()
    graph.add("in", 1, 1)
    graph.finish()


@pytest.mark.parametrize("error", CAUSES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_of_any_method_names_node_method_and_cause(kind, method, error, monkeypatch):
    """Rule E5: and the graph can be started again."""
    graph = Trial(clumsy(kind), "out")
    monkeypatch.setattr(KINDS[kind], "error", error)
    monkeypatch.setattr(KINDS[kind], "method", method)
    name = method if method in ("__init__", "load") else method.title()
    with pytest.raises(RuntimeError) as failure:
        run(graph)
        graph.graph.wait_until_done()
    cause = f"{error.__name__}: {error('told to fail')}"
    expected = f'Calculator::{name}() for node "the_node" failed: {cause}'
    assert expected in str(failure.value)
    if graph.graph._run is not None:  # it was told when the packet was added
        with pytest.raises(RuntimeError, match="the_node"):
            graph.graph.wait_until_done()
    monkeypatch.setattr(KINDS[kind], "method", "")
    graph.clear()
    run(graph)
    assert graph.values("out") == [1]


@pytest.mark.parametrize("error", CAUSES)
def test_an_exception_of_a_contract_names_node_and_cause(error, monkeypatch):
    """Rules C5, E5."""
    monkeypatch.setattr(ClumsyLight, "error", error)
    monkeypatch.setattr(ClumsyLight, "method", "contract")
    with pytest.raises(GraphError) as failure:
        Trial(clumsy("ClumsyLight"))
    assert (
        f"<graph>:4:1: ClumsyLight: contract() of node 'the_node' failed: {error.__name__}"
        in str(failure.value)
    )


def fail(*args):
    raise LookupError("told to fail")


@pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass"])
def test_an_exception_of_an_observer_ends_the_run(kind):
    """Rules A2, E5."""
    graph = Trial(inputs("in") + node(kind, "in", "out"))
    graph.graph.observe_output_stream("out", fail)
    graph.start()
    graph.add("in", 1, 1)
    with pytest.raises(
        RuntimeError, match='observer of stream "out" failed: LookupError: told to fail'
    ):
        graph.graph.wait_until_done()


@pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass"])
def test_an_exception_of_the_idle_callback_ends_the_run(kind):
    """Rule E5: its nodes are closed as after any error."""
    closed = []
    text = inputs("in") + node(kind, "in", "a")
    graph = Trial(text + node("Lambda", "a", "out", 'input_side_packet: "CLOSE:c"'))
    graph.graph.set_idle_callback(fail)
    graph.start(c=lambda cc: closed.append(1))
    with pytest.raises(RuntimeError, match="idle callback failed: LookupError: told to fail"):
        graph.graph.wait_until_done()
    assert closed == [1]


def test_an_exception_in_reading_an_option_names_node_and_place():
    """Rule E5."""

    @trial("WantsLimit")
    class WantsLimit(Calculator):
        inputs = {"": object}
        light = True

        def open(self, cc):
            self.limit = cc.options["limit"]

    graph = Trial(inputs("in") + node("WantsLimit", "in")).start()
    with pytest.raises(ValueError, match=r'Calculator::Open\(\) for node "WantsLimit" .*limit'):
        graph.graph.wait_until_done()


def own_threads():
    gc.collect()  # graphs of other tests that were dropped in a cycle
    return {t for t in threading.enumerate() if t.name.startswith("calcgraph")}


@pytest.mark.parametrize("state", ["idle", "failed", "at work", "never started"])
@pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass", "Endless"])
def test_a_graph_that_is_dropped_leaves_no_threads(kind, state):
    """Rule A12: in whichever state, with no `close` and no `wait_until_done`."""
    before = own_threads()
    ports = ("", "numbers") if kind == "Endless" else ("in", "out")
    text = (
        inputs("in")
        + node("Fail", "in", "x", options(time=9))
        + node(kind, *ports)
        + node("ThreadLambda", "in", "y", 'input_side_packet: "PROCESS:p"')
    )
    graph = Trial(text)
    entered, release = threading.Event(), threading.Event()

    def hold(cc):
        entered.set()
        assert release.wait(10)

    if state != "never started":
        graph.start(p=hold if state == "at work" else lambda cc: None)
    if state in ("failed", "at work"):
        graph.add("in", 1, 9 if state == "failed" else 1)
    if state == "at work":
        assert entered.wait(10)
    del graph
    release.set()
    deadline = time.monotonic() + 10
    while own_threads() - before:
        assert time.monotonic() < deadline


def test_a_packet_that_is_no_packet_is_refused_without_harm():
    graph = Trial(inputs("in") + node("Pass", "in", "out"), "out").start()
    with pytest.raises((AttributeError, TypeError)):
        graph.graph.add_packet_to_input_stream("in", "text", 1)
    graph.graph.add_packet_to_input_stream("in", Packet("text", 1))
    graph.finish()
    assert graph.values("out") == ["text"]


def test_what_a_status_says_is_what_the_run_says():
    """Rule E1: the code of a calculator's own StatusError survives."""

    def refuse(cc):
        raise StatusError(Code.RESOURCE_EXHAUSTED, "no more")

    graph = Trial(inputs("in") + node("Lambda", "in", "out", 'input_side_packet: "PROCESS:p"'))
    graph.start(p=refuse)
    graph.add("in", 1, 1)
    with pytest.raises(RuntimeError, match='node "Lambda" failed: no more') as failure:
        graph.graph.wait_until_done()
    assert failure.value.code == Code.RESOURCE_EXHAUSTED

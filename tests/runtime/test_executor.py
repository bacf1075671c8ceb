"""A graph that is served: what goes wrong in opening it names the node."""

import asyncio
import itertools

import pytest
from trial import node
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.executor import GraphExecutor

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

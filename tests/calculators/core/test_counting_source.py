import pytest
from core_run import Run, at, node, run

from calcgraph.runtime.errors import Code, GraphError, RunError


def counted(**side):
    tags = " ".join(f"{tag}:{tag.lower()}" for tag in side)
    graph = node("CountingSourceCalculator", "", "out", side=tags)
    return run(graph, {}, side_packets={tag.lower(): value for tag, value in side.items()})["out"]


@pytest.mark.parametrize(
    ("side", "numbers"),
    [
        ({"MAX_COUNT": 10}, range(10)),
        ({"MAX_COUNT": 0}, []),
        ({"MAX_COUNT": 2, "BATCH_SIZE": 3}, range(6)),
        ({"MAX_COUNT": 3, "INITIAL_VALUE": -5, "INCREMENT": 10}, [-5, 5, 15]),
    ],
)
def test_it_counts(side, numbers):
    assert counted(**side) == at(numbers)


@pytest.mark.parametrize(
    ("side", "code", "message"),
    [
        ({"ERROR_COUNT": 3}, Code.INTERNAL, "expected error"),
        ({"MAX_COUNT": 9, "ERROR_ON_OPEN": True}, Code.NOT_FOUND, "expected error"),
        ({"MAX_COUNT": -1}, Code.INTERNAL, "a count is at least 0, found -1"),
        ({"MAX_COUNT": 1, "BATCH_SIZE": 0}, Code.INTERNAL, "BATCH_SIZE is at least 1, found 0"),
        ({"MAX_COUNT": 1, "INCREMENT": 0}, Code.INTERNAL, "INCREMENT is at least 1, found 0"),
    ],
)
def test_it_fails_on_demand_and_on_nonsense(side, code, message):
    with pytest.raises(RunError, match=message) as caught:
        counted(**side)
    assert caught.value.code is code


def test_it_needs_a_count():
    with pytest.raises(GraphError, match="MAX_COUNT or ERROR_COUNT is needed"):
        Run(node("CountingSourceCalculator", "", "out"))

"""What a traced request tells of the default model's graph."""

from importlib.resources import files

import pytest

from .conftest import Loader, Model

GRAPH = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(GRAPH)


def test_every_node_is_timed_and_the_answer_is_the_same(model: Model) -> None:
    answer, trace = model.traced("a few words")
    assert answer["data"] == model.answer("a few words")["data"]
    seconds = trace.seconds()
    assert list(seconds) == [node.name for node in model.executor.plan.nodes]
    assert all(took > 0 for took in seconds.values())
    first, last = trace.calls[0], trace.calls[-1]
    assert sum(seconds.values()) <= (last.finish - first.start) / 1e9


def test_the_encoder_knows_its_inferences(model: Model) -> None:
    _, trace = model.traced(["one", "two"])
    call = next(call for call in trace.calls if call.node.name == "encoder")
    batches = trace.batches("encoder")
    assert sum(batch.texts for batch in batches) == 2
    assert all(call.start <= b.start <= b.finish <= call.finish for b in batches)

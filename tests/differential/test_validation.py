"""Our validation beside MediaPipe's: the same graphs pass, in the same canonical form; the same fail."""

import sys
from pathlib import Path
from random import Random

import pytest

from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.validated_graph_config import ValidatedGraphConfig

sys.path.insert(0, str(Path(__file__).parent))
from random_graphs import RightGraph, WrongGraph

pytestmark = pytest.mark.slow

COUNT = 1000


def validate(text: str) -> list[str]:
    graph = ValidatedGraphConfig()
    try:
        graph.initialize(graph_config=text)
    except GraphError as error:
        return ["ValueError" if isinstance(error, ValueError) else "RuntimeError", str(error)]
    return ["ok", graph.text_config]


def comparable(text: str) -> CalculatorGraphConfig:
    """MediaPipe leaves options where they stand, we gather them in node_options."""
    config = read_graph(text).proto
    for node in config.node:
        node.ClearField("options")
        node.ClearField("node_options")
    for holder in (config, *config.node):
        if holder.HasField("input_stream_handler"):
            holder.input_stream_handler.ClearField("options")
    return config


@pytest.mark.parametrize(("maker", "at_least"), [(RightGraph, 900), (WrongGraph, 10)])
def test_validation_agrees_with_mediapipe(maker, at_least, mediapipe):
    texts = [maker(Random(seed)).text() for seed in range(COUNT)]
    passed = 0
    for text, theirs in zip(texts, mediapipe("validate", texts), strict=True):
        ours = validate(text)
        assert ours[0] == theirs[0], f"{text}\n\nMediaPipe: {theirs[1]}\n\nours: {ours[1]}"
        if ours[0] == "ok":
            assert comparable(ours[1]) == comparable(theirs[1]), text
            passed += 1
    assert at_least <= passed < COUNT

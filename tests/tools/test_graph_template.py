from importlib.resources import files

import pytest

from calcgraph.tools.graph_template import embeddings_graph
from calcgraph.tools.sentence_settings import SentenceSettings

SHIPPED = (files("calcgraph.graphs") / "embeddings.pbtxt").read_text("utf-8")


def changed_lines(graph: str) -> list[str]:
    shipped = SHIPPED.splitlines()
    return [line.strip() for line in graph.splitlines() if line not in shipped]


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (SentenceSettings("MEAN", True, None), []),
        (SentenceSettings("CLS", True, None), ["pooling: CLS"]),
        (
            SentenceSettings("LAST", False, 512),
            ["max_length: 512", "pooling: LAST", "enabled: false"],
        ),
    ],
)
def test_only_the_models_own_settings_differ_from_the_graph_that_ships(
    settings: SentenceSettings, changes: list[str]
) -> None:
    assert changed_lines(embeddings_graph(settings)) == changes


def test_the_length_stands_in_the_tokenizers_options() -> None:
    graph = embeddings_graph(SentenceSettings("MEAN", True, 256))
    options = graph[graph.index("calcgraph.TokenizerOptions") :].partition("}")[0]
    assert "      max_length: 256\n" in options

from importlib.resources import files

import pytest

from calcgraph.proto.calculators_pb2 import PromptTemplateOptions
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.validation import plan_graph
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


def test_a_models_prompts_stand_in_a_node_before_the_tokenizer() -> None:
    prompts = {"query": 'Instruct: Find "it"\nQuery:', "document": "text: "}
    text = embeddings_graph(SentenceSettings("LAST", True, None, prompts, "document"))
    plan = plan_graph(read_graph(text))
    names = [node.name for node in plan.nodes]
    assert names[:3] == ["http_input", "prompt", "tokenizer"]
    options = plan.nodes[1].options
    assert isinstance(options, PromptTemplateOptions)
    assert {prompt.name: prompt.text for prompt in options.prompt} == prompts
    assert options.default_prompt == "document"
    assert options.instruction_template == "Instruct: {instruction}\nQuery:"
    assert [node.name for node in plan.consumers(plan.nodes[1], "INPUT")] == ["tokenizer"]

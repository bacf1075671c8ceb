"""The graph.pbtxt of a prepared model: the graph that ships, with the model's own settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from google.protobuf import text_format

from calcgraph.proto.calculators_pb2 import PromptTemplateOptions
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.sentence_settings import SentenceSettings


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is no matter of the model but of where and how it is served."""

    device: str = "CPU"
    plugin_config: Mapping[str, str] = field(default_factory=dict)
    truncate: bool = False
    max_length: int | None = None
    """Tokens of a query and a document together, for rerankers; None is what the model reads."""
    single_node: bool = False
    """OpenVINO Model Server's form of the graph."""


_AS_SHIPPED = Deployment()


def embeddings_graph(settings: SentenceSettings, deployment: Deployment = _AS_SHIPPED) -> str:
    """The text of graphs/embeddings.pbtxt, comments and all, with all settings written into its options."""
    normalize = str(settings.normalize).lower()
    if deployment.single_node:
        text = _deployed("embeddings_ovms.pbtxt", deployment)
        text = _set(text, "normalize_embeddings", normalize)
    else:
        text = _deployed("embeddings.pbtxt", deployment)
        text = _set(text, "enabled", normalize)
    text = _set(text, "pooling", settings.pooling)
    text = _set(text, "truncate", str(deployment.truncate).lower())
    if deployment.single_node:
        return text
    if settings.max_length is not None:
        text = _edit(text, "truncate", lambda line: [line, f"max_length: {settings.max_length}"])
    return _with_prompts(text, settings) if settings.prompts else text


def rerank_graph(deployment: Deployment = _AS_SHIPPED) -> str:
    """The text of graphs/rerank.pbtxt, which says nothing of a model that its own files do not."""
    if deployment.single_node:
        text, limit = _deployed("rerank_ovms.pbtxt", deployment), "max_position_embeddings"
        after = "target_device"
    else:
        text, limit = _deployed("rerank.pbtxt", deployment), "max_length"
        after = "long_documents"
    if deployment.max_length is not None:
        text = _edit(text, after, lambda line: [line, f"{limit}: {deployment.max_length}"])
    return text


def _deployed(name: str, deployment: Deployment) -> str:
    text = (files("calcgraph.graphs") / name).read_text("utf-8")
    text = _set(text, "target_device", json.dumps(deployment.device))
    properties = json.dumps(dict(deployment.plugin_config))
    if "'" in properties or "\\" in properties:
        raise PreparationError(
            f"plugin_config is {properties}; single quotes and backslashes cannot be written into a graph"
        )
    return _set(text, "plugin_config", f"'{properties}'")


_PROMPT_NODE = """\
node {{
  name: "prompt"
  calculator: "PromptTemplate"
  input_stream: "INPUT:input"
  output_stream: "INPUT:prompted"
  node_options: {{
    [type.googleapis.com/calcgraph.PromptTemplateOptions]: {{
{options}
    }}
  }}
}}

"""
_TOKENIZER = 'node {\n  name: "tokenizer"\n'
# Models that follow instructions show by their query prompt how one is given.
_INSTRUCTION = re.compile(r"(Instruct: ).+(\nQuery:\s?)", re.DOTALL)


def _with_prompts(text: str, settings: SentenceSettings) -> str:
    """The graph with one node more, between the request and the tokenizer."""
    options = PromptTemplateOptions(default_prompt=settings.default_prompt)
    for name, prompt in settings.prompts.items():
        options.prompt.add(name=name, text=prompt)
        if shown := _INSTRUCTION.fullmatch(prompt):
            options.instruction_template = f"{shown[1]}{{instruction}}{shown[2]}"
    lines = text_format.MessageToString(options, as_utf8=True, indent=6).rstrip()
    before, tokenizer, after = text.partition(_TOKENIZER)
    after = after.replace('"INPUT:input"', '"INPUT:prompted"', 1)
    return before + _PROMPT_NODE.format(options=lines) + tokenizer + after


def _set(text: str, option: str, value: str) -> str:
    return _edit(text, option, lambda _: [f"{option}: {value}"])


def _edit(text: str, option: str, lines: Callable[[str], list[str]]) -> str:
    """Put lines in the place of the one line that sets an option, as deep in the text as it was."""
    pattern = re.compile(rf"^( *)({option}: \S+)$", re.MULTILINE)
    found = pattern.findall(text)
    if len(found) != 1:
        raise ValueError(f"the graph sets {option!r} {len(found)} times, once was expected")
    ((indent, line),) = found
    edited = "\n".join(indent + each for each in lines(line))
    return pattern.sub(lambda _: edited, text)

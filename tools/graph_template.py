"""The graph.pbtxt of a prepared model: the graph that ships, with the model's own settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

from google.protobuf import text_format

from calcgraph.proto.calculators_pb2 import PromptTemplateOptions
from calcgraph.tools.sentence_settings import SentenceSettings


def embeddings_graph(settings: SentenceSettings) -> str:
    """The text of graphs/embeddings.pbtxt, comments and all, with `settings` written into its options."""
    text = (files("calcgraph.graphs") / "embeddings.pbtxt").read_text("utf-8")
    text = _edit(text, "pooling", lambda _: [f"pooling: {settings.pooling}"])
    text = _edit(text, "enabled", lambda _: [f"enabled: {str(settings.normalize).lower()}"])
    if settings.max_length is not None:
        text = _edit(text, "truncate", lambda line: [line, f"max_length: {settings.max_length}"])
    return _with_prompts(text, settings) if settings.prompts else text


def rerank_graph() -> str:
    """The text of graphs/rerank.pbtxt, which says nothing that a model's own files do not."""
    return (files("calcgraph.graphs") / "rerank.pbtxt").read_text("utf-8")


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


def _edit(text: str, option: str, lines: Callable[[str], list[str]]) -> str:
    """Put lines in the place of the one line that sets an option, as deep in the text as it was."""
    pattern = re.compile(rf"^( *)({option}: \w+)$", re.MULTILINE)
    found = pattern.findall(text)
    if len(found) != 1:
        raise ValueError(
            f"graphs/embeddings.pbtxt sets {option!r} {len(found)} times, once was expected"
        )
    ((indent, line),) = found
    return pattern.sub("\n".join(indent + each for each in lines(line)), text)

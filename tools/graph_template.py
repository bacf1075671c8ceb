"""The graph.pbtxt of a prepared model: the graph that ships, with the model's own settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

from calcgraph.tools.sentence_settings import SentenceSettings


def embeddings_graph(settings: SentenceSettings) -> str:
    """The text of graphs/embeddings.pbtxt, comments and all, with `settings` written into its options."""
    text = (files("calcgraph.graphs") / "embeddings.pbtxt").read_text("utf-8")
    text = _edit(text, "pooling", lambda _: [f"pooling: {settings.pooling}"])
    text = _edit(text, "enabled", lambda _: [f"enabled: {str(settings.normalize).lower()}"])
    if settings.max_length is not None:
        text = _edit(text, "truncate", lambda line: [line, f"max_length: {settings.max_length}"])
    return text


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

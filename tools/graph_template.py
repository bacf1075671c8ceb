"""The graph.pbtxt of a prepared model: the graph that ships, with the model's own settings."""

from __future__ import annotations

import re
from importlib.resources import files

from calcgraph.tools.sentence_settings import SentenceSettings


def embeddings_graph(settings: SentenceSettings) -> str:
    """The text of graphs/embeddings.pbtxt, comments and all, with `settings` written into its options."""
    lines = {
        "pooling": [f"pooling: {settings.pooling}"],
        "enabled": [f"enabled: {str(settings.normalize).lower()}"],
    }
    if settings.max_length is not None:
        lines["truncate"] = ["truncate: false", f"max_length: {settings.max_length}"]
    text = (files("calcgraph.graphs") / "embeddings.pbtxt").read_text("utf-8")
    for option, replacement in lines.items():
        text = _replace(text, option, replacement)
    return text


def _replace(text: str, option: str, lines: list[str]) -> str:
    """Put `lines` in the place of the one line that sets an option, as deep in the text as it was."""
    found = re.findall(rf"^( *){option}: \w+$", text, re.MULTILINE)
    if len(found) != 1:
        raise ValueError(
            f"graphs/embeddings.pbtxt sets {option!r} {len(found)} times, once was expected"
        )
    indented = "\n".join(found[0] + line for line in lines)
    return re.sub(rf"^ *{option}: \w+$", indented, text, flags=re.MULTILINE)

"""Rerankers that read a prompt: query and document within a text that says what is asked of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calcgraph.calculators.tokenization.model_files import read_json

_PLACES: Final = re.compile(r"(\{query\}|\{document\}|\{instruction\})")


@dataclass(frozen=True, slots=True)
class Prompt:
    """`body` holds {query} and ends in {document}, and may hold {instruction}.

    Prefix and suffix are tokenized by themselves, and stay whole when a document is read in windows.
    """

    prefix: str
    body: str
    suffix: str
    instruction: str = ""

    def __post_init__(self) -> None:
        for place in ("{query}", "{document}"):
            if self.body.count(place) != 1:
                raise ValueError(
                    f"prompt holds {place} {self.body.count(place)} times, once was expected"
                )
        if not self.body.endswith("{document}"):
            raise ValueError(
                "prompt does not end in {document}: put what follows into prompt_suffix"
            )

    @property
    def takes_instruction(self) -> bool:
        return "{instruction}" in self.body

    def text(self, query: str, document: str, instruction: str | None) -> tuple[str, int]:
        """The text between prefix and suffix, and the place in it where the document begins."""
        if self.prefix and query.startswith(self.prefix):
            # The caller has made the prompt himself, as OVMS asks: its text is query and document.
            before = query.removeprefix(self.prefix)
            return before + document.removesuffix(self.suffix), len(before)
        words = {
            "{query}": query,
            "{document}": "",
            "{instruction}": self.instruction if instruction is None else instruction,
        }
        before = "".join(words.get(part, part) for part in _PLACES.split(self.body))
        return before + document, len(before)


# As their authors publish them, by the model_type of config.json.
KNOWN: Final[Mapping[str, Prompt]] = {
    "qwen3": Prompt(
        prefix="<|im_start|>system\nJudge whether the Document meets the requirements based on the Query "
        'and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
        "<|im_start|>user\n",
        body="<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}",
        suffix="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        instruction="Given a web search query, retrieve relevant passages that answer the query",
    )
}


def known_prompt(folder: Path) -> Prompt | None:
    """The prompt that a model of this kind was trained with; None for one that reads pairs."""
    return KNOWN.get(str(read_json(folder / "config.json").get("model_type")))

"""The words that some models want before each text: a query's differ from a document's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.values import PromptWish, TextInput
from calcgraph.proto.calculators_pb2 import PromptTemplateOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.plan import GraphPlan, NodePlan

# The first of these that a model has is its prompt for that use, as in sentence-transformers' encode_query
# and encode_document.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}
_PLACE: Final = "{instruction}"


@dataclass(frozen=True, slots=True)
class Prompts:
    """A model's prompts by name, and which of them is for requests that choose none."""

    by_name: Mapping[str, str]
    default: str | None
    instruction_template: str

    def for_wish(self, wish: PromptWish | None) -> str:
        """What to put before the texts of one request. Raises RequestError for an unknown name."""
        if wish is None:
            return self._default
        if wish.instruction is not None:
            return self.instruction_template.replace(_PLACE, wish.instruction)
        if wish.name is not None:
            return self._named(wish.name)
        for name in _NAMES.get(wish.input_type or "", (wish.input_type or "",)):
            if name in self.by_name:
                return self.by_name[name]
        return self._default

    @property
    def _default(self) -> str:
        return "" if self.default is None else self.by_name[self.default]

    def _named(self, name: str) -> str:
        if name not in self.by_name:
            known = ", ".join(map(repr, self.by_name)) or "none"
            raise RequestError(
                f"This model has no prompt {name[:80]!r}, it has {known}.",
                param="prompt_name",
            )
        return self.by_name[name]


class PromptTemplate(Calculator):
    """Puts a prompt before each text, as sentence-transformers' encode(prompt_name=...) does.

    The prompts are those of the node's options, else of config_sentence_transformers.json. Token ids pass as
    they are, unless the request asks for a prompt.
    """

    inputs = {"INPUT": TextInput}
    outputs = {"INPUT": TextInput}
    options = PromptTemplateOptions
    light = True
    stateless = True

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> Prompts:
        assert isinstance(node.options, PromptTemplateOptions)
        return read_prompts(node.options, node.base_path / node.options.models_path)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Prompts, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        said = {"prompts": dict(resource.by_name), "default_prompt": resource.default}
        return {**said, FINGERPRINT: {**said, "instruction": resource.instruction_template}}

    def open(self, cc: CalculatorContext) -> None:
        self.prompts: Prompts = cc.resource

    def process(self, cc: CalculatorContext) -> None:
        value: TextInput = cc.inputs["INPUT"].value
        # Whoever asks for tokens wants those of the text as it is.
        if value.only is None:
            value = self._prompted(value)
        cc.outputs["INPUT"].add(value)

    def _prompted(self, value: TextInput) -> TextInput:
        wish = value.prompt
        prompt = self.prompts.for_wish(wish)
        if value.texts is None:
            if wish is not None and wish.must_be_heard:
                raise RequestError(
                    "A prompt cannot be put before token ids: send text, or the ids of the prompt too.",
                    param="instruction" if wish.name is None else "prompt_name",
                )
            return value
        if not prompt and wish is None:
            return value
        texts = [prompt + text for text in value.texts] if prompt else value.texts
        return replace(value, texts=texts, prompt=None)


def read_prompts(options: PromptTemplateOptions, folder: Path) -> Prompts:
    """The prompts of the options, else of the model's folder. Raises ValueError for what makes no sense."""
    by_name, default, place = _given(options) if options.prompt else _declared(folder)
    if options.HasField("default_prompt"):
        default = options.default_prompt
    if default is not None and default not in by_name:
        known = ", ".join(map(repr, by_name)) or "none"
        raise ValueError(f"default_prompt: {place} has no prompt {default!r}, it has {known}")
    if any(by_name.values()) and _leaves_out_prompts(folder):
        raise ValueError(
            f"{folder}/1_Pooling/config.json says include_prompt: false, but a prompt's tokens are always "
            "pooled here: remove this node, or choose another model"
        )
    return Prompts(by_name, default, options.instruction_template)


def _given(options: PromptTemplateOptions) -> tuple[Mapping[str, str], None, str]:
    by_name = {prompt.name: prompt.text for prompt in options.prompt}
    if len(by_name) < len(options.prompt) or "" in by_name:
        raise ValueError("each 'prompt' needs a 'name' of its own")
    return by_name, None, "this node"


def _declared(folder: Path) -> tuple[Mapping[str, str], str | None, str]:
    file = folder / "config_sentence_transformers.json"
    config = read_json(file)
    prompts = config.get("prompts") or {}
    if not all(isinstance(text, str) for text in prompts.values()):
        raise ValueError(f"{file}: each of 'prompts' must be a string")
    return prompts, config.get("default_prompt_name"), str(file)


def _leaves_out_prompts(folder: Path) -> bool:
    return read_json(folder / "1_Pooling" / "config.json").get("include_prompt") is False

"""From config.json and model.safetensors to an OpenVINO model, without torch.

The graph is that of transformers' BertModel, RobertaModel and XLMRobertaModel without the pooler. Its
layout is a promise to whoever rewrites it later (packing many texts into a row):

- inputs `input_ids`, `attention_mask` and, when there is more than one token type, `token_type_ids`,
  all int64 [batch, tokens]; output `last_hidden_state`, float32 [batch, tokens, hidden];
- every attention is one ScaledDotProductAttention, and its input 3 is a mask made from `attention_mask` alone;
- positions enter in one place: input 1 of the Gather named `embeddings.position_embeddings/Gather`.
  Row 0 of its table is the first token's for BERT, row pad_token_id + 1 for RoBERTa.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset15 as ops

from calcgraph.tools.encoder_config import EncoderConfig, read_encoder_config
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.weights import Array, read_weights

# The names of the body of a model saved with a head: BertForMaskedLM saves `bert.embeddings...`.
_BODY_PREFIXES = ("bert.", "roberta.")
# Heads of pre-training and the pooler: no part of last_hidden_state.
_UNUSED = ("pooler.", "cls.", "lm_head.")
# Lowest number of float16. Added to a score it makes a weight of exactly 0 in float32, bfloat16 and
# float16, and unlike -inf it leaves a row that is masked whole finite.
_MASKED = np.float32(np.finfo(np.float16).min)


def build_encoder(folder: Path) -> ov.Model:
    """The encoder described by the config.json and model.safetensors of a folder.

    Raises PreparationError for an architecture that is not supported and for weights that do not fit it.
    """
    config = read_encoder_config(folder / "config.json")
    path = folder / "model.safetensors"
    what = f"a {config.model_type} encoder of {config.layers} layers"
    weights = fitting_weights(tensor_shapes(config), read_weights(path), path, what)
    graph = EncoderGraph(config, weights)
    return graph.model(graph.hidden(), "last_hidden_state")


def tensor_shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that an encoder of this config is made of."""
    hidden, wide = config.hidden, config.intermediate
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config.vocabulary, hidden),
        "embeddings.position_embeddings.weight": (config.positions, hidden),
        "embeddings.token_type_embeddings.weight": (config.token_types, hidden),
    }

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (hidden,)

    def linear(name: str, outputs: int, inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    norm("embeddings.LayerNorm")
    for layer in range(config.layers):
        at = f"encoder.layer.{layer}"
        for projection in ("query", "key", "value"):
            linear(f"{at}.attention.self.{projection}", hidden, hidden)
        linear(f"{at}.attention.output.dense", hidden, hidden)
        norm(f"{at}.attention.output.LayerNorm")
        linear(f"{at}.intermediate.dense", wide, hidden)
        linear(f"{at}.output.dense", hidden, wide)
        norm(f"{at}.output.LayerNorm")
    return shapes


def fitting_weights(
    expected: Mapping[str, tuple[int, ...]], found: Mapping[str, Array], path: Path, what: str
) -> dict[str, Array]:
    """The weights under the names `expected`, or a PreparationError saying which do not fit `what`."""
    bare = {_without_prefix(name): array for name, array in found.items()}
    wrong = [
        *_complaint("lacks", (name for name in expected if name not in bare)),
        *_complaint(
            "has the unexpected",
            (n for n in bare if n not in expected and not n.startswith(_UNUSED)),
        ),
        *_complaint(
            "has in another shape",
            (
                f"{name} {list(bare[name].shape)} (expected {list(shape)})"
                for name, shape in expected.items()
                if name in bare and bare[name].shape != shape
            ),
        ),
    ]
    if wrong:
        raise PreparationError(f"{path} does not fit {what}: it {'; it '.join(wrong)}")
    return {name: bare[name] for name in expected}


def _without_prefix(name: str) -> str:
    for prefix in _BODY_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _complaint(verb: str, names: Iterable[str]) -> list[str]:
    listed = list(names)
    if not listed:
        return []
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return [f"{verb} {', '.join(listed[:3])}{more}"]


class EncoderGraph:
    """Writes the graph down, from the embeddings up; `weights` are named and shaped as `tensor_shapes` tells."""

    def __init__(self, config: EncoderConfig, weights: Mapping[str, Array]) -> None:
        self.config = config
        self.weights = weights
        self.input_ids = _token_input("input_ids")
        self.attention_mask = _token_input("attention_mask")
        self.token_type_ids = _token_input("token_type_ids") if config.token_types > 1 else None

    def hidden(self) -> ov.Node:
        """float32 [batch, tokens, hidden]."""
        mask = self._additive_mask()
        hidden = self._embeddings()
        for layer in range(self.config.layers):
            at = f"encoder.layer.{layer}"
            hidden = self._feed_forward(self._attention(hidden, mask, f"{at}.attention"), at)
        return hidden

    def model(self, answer: ov.Node, name: str) -> ov.Model:
        """The model whose output `name` is `answer`."""
        answer.output(0).get_tensor().set_names({name})
        inputs = [self.input_ids, self.attention_mask, self.token_type_ids]
        result = ops.result(answer, name=f"{name}/Result")
        return ov.Model([result], [i for i in inputs if i is not None], self.config.model_type)

    def linear(self, hidden: ov.Node, at: str) -> ov.Node:
        product = ops.matmul(hidden, self._weight(f"{at}.weight"), False, True, name=f"{at}/MatMul")
        return ops.add(product, self._weight(f"{at}.bias"), name=at)

    def _embeddings(self) -> ov.Node:
        words = self._lookup("embeddings.word_embeddings", self.input_ids)
        positions = self._lookup("embeddings.position_embeddings", self._positions())
        if self.token_type_ids is None:
            types = self._weight("embeddings.token_type_embeddings.weight")
        else:
            types = self._lookup("embeddings.token_type_embeddings", self.token_type_ids)
        total = ops.add(ops.add(words, types), positions)
        return self._layer_norm(total, "embeddings.LayerNorm")

    def _positions(self) -> ov.Node:
        """The row of the position table for each token: [tokens] for BERT, [batch, tokens] for RoBERTa."""
        if not self.config.positions_follow_padding:
            length = ops.gather(
                ops.shape_of(self.input_ids), _int(1), _int(0), name="sequence_length"
            )
            return ops.range(_int(0), length, _int(1), "i64", name="positions")
        padding = _int(self.config.pad_token_id)
        real = ops.convert(ops.not_equal(self.input_ids, padding), "i64")
        return ops.add(ops.multiply(ops.cum_sum(real, _int(1)), real), padding, name="positions")

    def _additive_mask(self) -> ov.Node:
        """0 where a token may be attended to and _MASKED where it is padding: float32 [batch, 1, 1, tokens]."""
        mask = ops.convert(ops.unsqueeze(self.attention_mask, _ints(1, 2)), "f32")
        absent = ops.subtract(ops.constant(np.float32(1)), mask)
        return ops.multiply(absent, ops.constant(_MASKED), name="additive_mask")

    def _attention(self, hidden: ov.Node, mask: ov.Node, at: str) -> ov.Node:
        query, key, value = (
            self._split_heads(self.linear(hidden, f"{at}.self.{projection}"))
            for projection in ("query", "key", "value")
        )
        mixed = ops.scaled_dot_product_attention(
            query, key, value, mask, name=f"{at}.self/ScaledDotProductAttention"
        )
        joined = ops.reshape(
            ops.transpose(mixed, _ints(0, 2, 1, 3)), _ints(0, 0, self.config.hidden), True
        )
        return self._add_and_norm(joined, hidden, f"{at}.output")

    def _split_heads(self, hidden: ov.Node) -> ov.Node:
        """[batch, tokens, hidden] to [batch, heads, tokens, hidden / heads]."""
        heads = self.config.heads
        shape = _ints(0, 0, heads, self.config.hidden // heads)
        return ops.transpose(ops.reshape(hidden, shape, True), _ints(0, 2, 1, 3))

    def _feed_forward(self, hidden: ov.Node, at: str) -> ov.Node:
        wide = self.linear(hidden, f"{at}.intermediate.dense")
        mode = self.config.activation
        active = ops.relu(wide) if mode == "relu" else ops.gelu(wide, mode)
        return self._add_and_norm(active, hidden, f"{at}.output")

    def _add_and_norm(self, change: ov.Node, hidden: ov.Node, at: str) -> ov.Node:
        total = ops.add(self.linear(change, f"{at}.dense"), hidden)
        return self._layer_norm(total, f"{at}.LayerNorm")

    def _layer_norm(self, hidden: ov.Node, at: str) -> ov.Node:
        normal = ops.mvn(hidden, _ints(-1), True, self.config.layer_norm_eps, "inside_sqrt")
        scaled = ops.multiply(normal, self._weight(f"{at}.weight"))
        return ops.add(scaled, self._weight(f"{at}.bias"), name=at)

    def _lookup(self, at: str, ids: ov.Node) -> ov.Node:
        return ops.gather(self._weight(f"{at}.weight"), ids, _int(0), name=f"{at}/Gather")

    def _weight(self, name: str) -> ov.Node:
        return ops.constant(self.weights[name], name=name)


def _token_input(name: str) -> ov.Node:
    node = ops.parameter([-1, -1], np.int64, name=name)
    node.output(0).get_tensor().set_names({name})
    return node


def _int(value: int) -> ov.Node:
    return ops.constant(np.int64(value))


def _ints(*values: int) -> ov.Node:
    return ops.constant(np.array(values, np.int64))

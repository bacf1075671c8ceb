"""Graph surgery: from a model of one text a row to one of many texts a row.

Two things let texts of one row see each other, and both are cut:

- attention. Every ScaledDotProductAttention, and every Softmax of scores where attention is written
  out, gets a mask that also asks for equal `segment_ids`, on top of what it had (nothing, causal, a
  window, a bias). Padding has a segment of its own and
  attends to itself: a row of attention that is masked everywhere would be NaN.
- absolute positions. The look-up of position vectors takes its indices from a `position_ids` input,
  which restarts in each text. Which look-up that is, and where it starts to count (RoBERTa at 2), is
  found by running the subgraph of its indices on a probe. Rotary and relative positions only depend
  on differences and stay as they are.

`attention_mask` becomes all ones. Whether the result is right is not argued but measured: see verify.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from calcgraph.calculators.engine.model import (
    Encoder,
    gathers,
    table_rows,
    through_converts,
)

ATTENTION = "ScaledDotProductAttention"
PROBE_TOKENS = 7


class NotPackable(Exception):
    """The patterns that surgery needs are not in this model; says which."""


@dataclass(frozen=True, slots=True)
class Positions:
    """How a model numbers the tokens of a text."""

    start: int = 0
    limit: int | None = None
    """Tokens at most, as far as the table goes."""
    pad: int | None = None
    """A token id that is not counted and has position `start - 1`, as RoBERTa's padding."""

    def of(self, ids: np.ndarray) -> np.ndarray:
        """The positions of one text's tokens."""
        if self.pad is None or not (ids == self.pad).any():
            return np.arange(self.start, self.start + len(ids))
        counted = ids != self.pad
        return np.asarray(np.cumsum(counted) * counted + self.start - 1)


def positions(core: ov.Core, encoder: Encoder) -> Positions | None:
    """How the model numbers tokens, None when it has no table of positions."""
    found = _position_gather(core, encoder.model)
    return found[1] if found else None


def packed_model(core: ov.Core, encoder: Encoder) -> ov.Model:
    """A copy of the model with inputs input_ids, segment_ids (int32) and, where it had them or looks
    up absolute positions, position_ids and token_type_ids, all [B, S]; one output, the hidden states.

    Raises NotPackable.
    """
    model = encoder.model.clone()
    attentions = [n for n in model.get_ordered_ops() if _is_attention(n)]
    if not attentions:
        raise NotPackable(f"it has neither {ATTENTION} nor a Softmax of scores to mask")
    parameters = {p.output(0).get_any_name(): p for p in model.get_parameters()}
    segments = _parameter("segment_ids", ov.Type.i32)
    new = [segments]
    found = _position_gather(core, model)
    if found and "position_ids" not in parameters:
        places = _parameter("position_ids", ov.Type.i64)
        new.append(places)
        found[0].input(1).replace_source_output(places.output(0))
    if mask := parameters.pop("attention_mask", None):
        ones = op.broadcast(
            op.constant(1, mask.get_element_type()), op.shape_of(parameters["input_ids"])
        )
        _replace(mask.output(0), ones.output(0))
    same = op.equal(
        op.unsqueeze(segments, np.array([1, 3])), op.unsqueeze(segments, np.array([1, 2]))
    )
    masks = _Masks(same)
    for attention in attentions:
        _isolate(attention, masks)
    hidden = model.output(encoder.hidden).get_node().input_value(0)
    return ov.Model([op.result(hidden)], [*parameters.values(), *new], "packed")


def _parameter(name: str, kind: ov.Type) -> Any:
    parameter = op.parameter([-1, -1], kind, name=name)
    parameter.output(0).get_tensor().set_names({name})
    return parameter


def _replace(old: Any, new: Any) -> None:
    for target in old.get_target_inputs():
        target.replace_source_output(new)


# Positions


def _position_gather(core: ov.Core, model: ov.Model) -> tuple[Any, Positions] | None:
    """The look-up of position vectors, told by its indices counting up on a probe."""
    for gather in gathers(model):
        source = through_converts(gather.input_value(1)).get_node()
        if source.get_type_name() == "Parameter":
            continue
        probe = np.arange(10, 10 + PROBE_TOKENS)[None]
        counted = _run(core, gather.input_value(1), probe)
        if counted is None or counted.size != PROBE_TOKENS:
            continue
        counted = counted.reshape(-1)
        if (counted == counted[0] + np.arange(PROBE_TOKENS)).all():
            start, rows = int(counted[0]), table_rows(gather)
            limit = rows - start if rows is not None else None
            return gather, Positions(start, limit, _pad(core, gather, model, start))
    return None


def _pad(core: ov.Core, gather: Any, model: ov.Model, start: int) -> int | None:
    """The token id that positions do not count. HF's models that start at n have it at n - 1."""
    if start == 0:
        return None
    counted = _run(core, gather.input_value(1), np.array([[10, start - 1, 10]]))
    if counted is not None and counted.reshape(-1).tolist() == [start, start - 1, start + 1]:
        return start - 1
    return None


# Masks


def _is_attention(node: Any) -> bool:
    """SDPA, or the Softmax over keys of an attention that was exported step by step."""
    if node.get_type_name() == "Softmax":
        rank = node.get_output_partial_shape(0).rank
        return (
            rank.is_static and rank.get_length() == 4 and node.get_attributes()["axis"] in (-1, 3)
        )
    return bool(node.get_type_name() == ATTENTION)


class _Masks:
    """Masks for one segment, joined with each mask the model has; shared between its layers."""

    def __init__(self, same: Any) -> None:
        self._same = same
        self._joined: dict[tuple[str, int], Any] = {}

    def within(self, mask: Any = None) -> Any:
        """True, or the value of `mask` (a port), within a segment; False or lowest elsewhere."""
        if mask is None:
            return self._same
        key = (mask.get_node().get_friendly_name(), mask.get_index())
        if key not in self._joined:
            self._joined[key] = self._join(mask)
        return self._joined[key]

    def causal(self) -> Any:
        size = op.gather(op.shape_of(self._same), np.int64(-1), np.int64(0))
        place = op.range(np.int64(0), size, np.int64(1), "i64")
        before = op.less_equal(op.unsqueeze(place, np.int64(0)), op.unsqueeze(place, np.int64(1)))
        return op.logical_and(self._same, before)

    def _join(self, mask: Any) -> Any:
        if mask.get_element_type() == ov.Type.boolean:
            return op.logical_and(self._same, mask)
        lowest = op.constant(np.float32(np.finfo(np.float32).min))
        return op.select(self._same, mask, op.convert_like(lowest, mask))


def _isolate(attention: Any, masks: _Masks) -> None:
    """Let tokens attend within their segment only, besides what the attention forbids already."""
    inputs = [attention.input_value(i) for i in range(attention.get_input_size())]
    if attention.get_type_name() == "Softmax":
        attention.input(0).replace_source_output(masks.within(inputs[0]).output(0))
        return
    if attention.get_attributes()["causal"]:
        mask = masks.causal()
    else:
        mask = masks.within(inputs[3] if len(inputs) > 3 else None)
    new = op.scaled_dot_product_attention(*inputs[:3], mask, *inputs[4:], causal=False)
    new.set_friendly_name(attention.get_friendly_name())
    _replace(attention.output(0), new.output(0))


def _run(core: ov.Core, port: Any, ids: np.ndarray) -> np.ndarray | None:
    """What a port of the model carries for these ids, [1, S]; None if it cannot be had.

    Only the subgraph before the port is compiled, so weights after it cost nothing.
    """
    model = _model_of(port)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    feeds["token_type_ids"] = np.zeros_like(ids)
    feeds["position_ids"] = np.arange(ids.size)[None]
    try:
        request = core.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        ).create_infer_request()
        request.start_async({p.get_any_name(): feeds[p.get_any_name()] for p in model.inputs})
        request.wait()
    except RuntimeError:
        return None
    return np.array(request.get_output_tensor(0).data)


def _model_of(port: Any) -> ov.Model:
    """A model that ends at this port, of a copy of all that is before it."""
    node = port.get_node()
    parameters, stack, seen = [], [node], set()
    while stack:
        node = stack.pop()
        name = node.get_friendly_name()
        if name in seen:
            continue
        seen.add(name)
        if node.get_type_name() == "Parameter":
            parameters.append(node)
        stack += [node.input_value(i).get_node() for i in range(node.get_input_size())]
    return ov.Model([op.result(port)], parameters, "probe").clone()

"""A model folder as OpenVINO reads it, and what can be learnt from its graph."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino as ov

from calcgraph.calculators.engine.errors import ModelUnreadable, ModelUnsuitable

HIDDEN_NAMES = ("last_hidden_state", "token_embeddings")
INPUT_NAMES = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
MODEL_FILE = "openvino_model.xml"
NEWEST_IR = 11
_IR_VERSION = re.compile(r'<net\b[^>]*\bversion="(\d+)"')


@dataclass(frozen=True, slots=True)
class Encoder:
    """A model that turns token ids [B, S] into hidden states [B, S, dimensions]."""

    path: Path
    model: ov.Model
    inputs: tuple[str, ...]
    hidden: str
    dimensions: int
    vocab_size: int | None
    weight_bytes: int
    """Size of the weights that are multiplied with, that is, without the tables looked up in."""


def read_encoder(core: ov.Core, folder: Path) -> Encoder:
    """Read `folder`/openvino_model.xml. Raises ModelUnreadable, ModelUnsuitable."""
    path = folder / MODEL_FILE
    for file in (path, path.with_suffix(".bin")):
        if not file.is_file():
            raise ModelUnreadable(file, "there is no such file")
    try:
        model = core.read_model(path)
    except RuntimeError as error:
        raise ModelUnreadable(path, why_unreadable(path, error)) from error
    inputs = tuple(port.get_any_name() for port in model.inputs)
    if "input_ids" not in inputs or not INPUT_NAMES.issuperset(inputs):
        raise ModelUnsuitable(
            f"{path} has inputs {', '.join(inputs)}: expected input_ids"
            " and at most attention_mask, token_type_ids and position_ids"
        )
    hidden = _hidden_state(path, model)
    return Encoder(
        path=path,
        model=model,
        inputs=inputs,
        hidden=hidden,
        dimensions=model.output(hidden).get_partial_shape()[2].get_length(),
        vocab_size=_vocab_size(model),
        weight_bytes=_weight_bytes(model),
    )


def _hidden_state(path: Path, model: Any) -> str:
    """The name of the output of one vector a token."""
    outputs: dict[str, Any] = {name: port for port in model.outputs for name in port.get_names()}
    for name in (*HIDDEN_NAMES, *outputs):
        if name in outputs:
            shape = outputs[name].get_partial_shape()
            if shape.rank.is_static and len(shape) == 3 and shape[2].is_static:
                return name
    found = ", ".join(f"{name} {port.get_partial_shape()}" for name, port in outputs.items())
    raise ModelUnsuitable(
        f"{path} has outputs {found}: expected last_hidden_state or token_embeddings"
        " of shape [batch, tokens, dimensions]"
    )


def _vocab_size(model: ov.Model) -> int | None:
    """Rows of the table that input_ids look up."""
    for gather in gathers(model):
        source = through_converts(gather.input_value(1)).get_node()
        if source.get_type_name() == "Parameter" and "input_ids" in source.output(0).get_names():
            return table_rows(gather)
    return None


def _weight_bytes(model: ov.Model) -> int:
    tables = {name for g in gathers(model) for name in _constants(g.input_value(0).get_node())}
    return sum(
        node.get_byte_size()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Constant" and node.get_friendly_name() not in tables
    )


def _constants(node: Any) -> Iterator[str]:
    """Names of the constants a table is made of; a compressed one has several."""
    if node.get_type_name() == "Constant":
        yield node.get_friendly_name()
    for i in range(node.get_input_size()):
        yield from _constants(node.input_value(i).get_node())


def gathers(model: ov.Model) -> Iterator[Any]:
    """The look-ups in a table of vectors."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Gather" and table_rows(node) is not None:
            yield node


def table_rows(gather: Any) -> int | None:
    """How many rows the table of a Gather has, None if it is no table [rows, n]."""
    shape = gather.input_value(0).get_partial_shape()
    if shape.rank.is_static and len(shape) == 2 and shape.is_static and shape[1].get_length() > 1:
        return int(shape[0].get_length())
    return None


def through_converts(port: Any) -> Any:
    """The output that feeds this one, looking through changes of type."""
    while port.get_node().get_type_name() == "Convert":
        port = port.get_node().input_value(0)
    return port


def why_unreadable(path: Path, error: RuntimeError) -> str:
    """What OpenVINO says of an IR, and what to do when a newer OpenVINO wrote it."""
    reason = last_line(error)
    with path.open(encoding="utf-8", errors="replace") as file:
        version = _IR_VERSION.search(file.read(1000))
    newer = version is not None and int(version[1]) > NEWEST_IR
    if newer or "opset" in reason.lower():
        reason += (
            f"; a newer OpenVINO than {ov.get_version().partition('-')[0]}, which runs here, may have written it:"
            " install that one, or export the model with this one"
        )
    return reason


def last_line(error: BaseException) -> str:
    """The telling line of an OpenVINO error, which says where it was thrown first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

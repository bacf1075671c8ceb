"""The shapes and layouts that a plain model is given before it is compiled, as OVMS writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import openvino as ov

from calcgraph.calculators.engine.model import last_line
from calcgraph.runtime.naming import did_you_mean

AUTO: Final = "auto"
ONLY_INPUT: Final = ""
"""Stands for the input of a model that has one."""


def dimension(text: str) -> ov.Dimension:
    """One dimension: a size, -1 for any, or a range like 1:8. Raises ValueError."""
    low, colon, high = text.strip().partition(":")
    try:
        sizes = [int(low), *([int(high)] if colon else [])]
    except ValueError:
        sizes = []
    if sizes == [-1]:
        return ov.Dimension()
    if not sizes or min(sizes) < 1 or sizes != sorted(sizes):
        raise ValueError(f"found {text!r} for a dimension; expected a size, -1 or a range like 1:8")
    return ov.Dimension(*sizes)


def shape(text: str) -> ov.PartialShape:
    """From "(1,3,-1,200:400)". Raises ValueError."""
    inner = text.strip()
    if not (inner.startswith("(") and inner.endswith(")")):
        raise ValueError(f"found {text!r} for a shape; expected dimensions like (1,3,-1,200:400)")
    parts = [part for part in inner[1:-1].split(",") if part.strip()]
    return ov.PartialShape([dimension(part) for part in parts])


def reshape(model: ov.Model, shapes: Mapping[str, str], batch_size: str) -> None:
    """Give the inputs their shapes, or all of them their batch size. Raises ValueError."""
    if shapes:
        wanted = {
            _input(model, name): _shape(_input(model, name), text) for name, text in shapes.items()
        }
    elif batch_size:
        wanted = {port: _with_batch(port, batch_size) for port in model.inputs}
    else:
        return
    try:
        model.reshape(wanted)
    except RuntimeError as error:
        said = ", ".join(f"{port.get_any_name()} {each}" for port, each in wanted.items())
        raise ValueError(f"the model cannot take the shapes {said}: {last_line(error)}") from error


def lay_out(model: ov.Model, layouts: Mapping[str, str]) -> ov.Model:
    """A model that takes its inputs, and gives its outputs, in the clients' layouts. Raises ValueError."""
    if not layouts:
        return model
    steps = ov.preprocess.PrePostProcessor(model)
    try:
        for name, text in layouts.items():
            client, colon, own = text.partition(":")
            io = _port_steps(steps, model, name)
            io.model().set_layout(ov.Layout(own if colon else client))
            io.tensor().set_layout(ov.Layout(client))
        return steps.build()
    except RuntimeError as error:
        said = ", ".join(f"{name or 'the input'} {text}" for name, text in layouts.items())
        raise ValueError(f"the model cannot take the layouts {said}: {last_line(error)}") from error


def _shape(port: Any, text: str) -> ov.PartialShape:
    if text.strip().lower() == AUTO:
        rank = port.get_partial_shape().rank
        return (
            ov.PartialShape([-1] * rank.get_length())
            if rank.is_static
            else ov.PartialShape.dynamic()
        )
    return shape(text)


def _with_batch(port: Any, batch_size: str) -> ov.PartialShape:
    found = ov.PartialShape(port.get_partial_shape())
    if found.rank.is_dynamic or not len(found):
        raise ValueError(
            f"batch_size: input '{port.get_any_name()}' has the shape {found}, of which no dimension "
            "is known to be the batch; give it a shape"
        )
    size = batch_size.strip().lower()
    found[0] = ov.Dimension() if size == AUTO else dimension(batch_size)
    return found


def _input(model: ov.Model, name: str) -> Any:
    if name == ONLY_INPUT:
        if len(model.inputs) != 1:
            names = _names(model.inputs)
            raise ValueError(f"the model has several inputs, {names}: say which is meant")
        return model.inputs[0]
    return _port(model.inputs, name, "input")


def _port_steps(steps: Any, model: ov.Model, name: str) -> Any:
    if name == ONLY_INPUT or any(name in port.get_names() for port in model.inputs):
        return steps.input(model.inputs.index(_input(model, name)))
    port = _port(model.outputs, name, "input or output")
    return steps.output(model.outputs.index(port))


def _port(ports: list[Any], name: str, kind: str) -> Any:
    found = next((port for port in ports if name in port.get_names()), None)
    if found is None:
        names = [port.get_any_name() for port in ports]
        hint = did_you_mean(name, names) or f"; it has {_names(ports)}"
        raise ValueError(f"the model has no {kind} '{name}'{hint}")
    return found


def _names(ports: list[Any]) -> str:
    return ", ".join(f"'{port.get_any_name()}'" for port in ports)

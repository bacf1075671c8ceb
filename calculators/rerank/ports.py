"""Parts of an OpenVINO graph: what a port is made of, exchanging what feeds it, models of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openvino as ov
import openvino.opset13 as op


def inputs_until(port: Any, stop: Callable[[Any], bool]) -> Iterator[Any]:
    """`port` and what it is made of, not looking beyond ports for which `stop` is true."""
    stack, seen = [port], set()
    while stack:
        port = stack.pop()
        if key(port) in seen:
            continue
        seen.add(key(port))
        yield port
        if not stop(port):
            node = port.get_node()
            stack += [node.input_value(i) for i in range(node.get_input_size())]


def model_of(*ports: Any) -> ov.Model:
    """The model that ends at these ports, with the inputs that they are made of."""
    parameters = {
        key(found): found.get_node()
        for port in ports
        for found in inputs_until(port, lambda _: False)
        if found.get_node().get_type_name() == "Parameter"
    }
    results = [op.result(port) for port in ports]
    return ov.Model(results, list(parameters.values()))


def parameter_of(model: ov.Model, name: str) -> Any:
    return next(p for p in model.get_parameters() if name in p.output(0).get_names())


def replace(old: Any, new: Any) -> None:
    """Feed all that read `old` from `new`."""
    for target in old.get_target_inputs():
        target.replace_source_output(new)


def key(port: Any) -> tuple[str, int]:
    """What tells ports apart; the objects themselves are made anew by each call."""
    return port.get_node().get_name(), port.get_index()


def rank(port: Any) -> int:
    """Of the port's shape; -1 for one that is not known."""
    found = port.get_partial_shape().rank
    return int(found.get_length()) if found.is_static else -1

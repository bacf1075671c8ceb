"""For authors of calculators: run one on packets, without a graph file or a server.

def test_truncate():
    out = run(Truncate, inputs={"EMBEDDINGS": [np.ones((1, 384))]}, options={"dimensions": 64})
    assert out["EMBEDDINGS"][0].value.shape == (1, 64)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import parse_port_key
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.registry import Registry
from calcgraph.runtime.timestamp import UNSET

_NO_INPUTS: Mapping[str, Iterable[Any]] = {}
_NOTHING: Mapping[str, Any] = {}


def run(
    calculator: type[Calculator],
    inputs: Mapping[str, Iterable[Any]] = _NO_INPUTS,
    *,
    options: Message | Mapping[str, Any] | None = None,
    side_packets: Mapping[str, Any] = _NOTHING,
    resource: Any = None,
    services: Mapping[str, Any] = _NOTHING,
    outputs: Sequence[str] | None = None,
    node: str = "",
) -> dict[str, list[Packet]]:
    """Run one calculator through a real graph; the packets it wrote, by the key of the output.

    Keys are those of a class ("TAG", "TAG:1", "" for an untagged port). Values without a time get the
    times 0, 1, 2 ...; a Packet with a time keeps it. Then all inputs end. `options` is a message, or a
    mapping for a class that takes a Struct. `resource` stands for what `load` would return, which is
    called if it is None. `outputs` are the keys to observe, by default all that the class declares. `node`
    is more text for the node in the graph, for example `max_in_flight: 4`.

    Raises RunError with the calculator's own error as `__cause__` of its parts, and GraphError if the
    ports do not fit the contract.
    """
    observed = list(outputs if outputs is not None else _outputs(calculator, inputs))
    registry = Registry()
    registry.register("CalculatorUnderTest", calculator)
    graph = CalculatorGraph(
        graph_config=_text([*inputs], [*side_packets], observed, options, node),
        registry=registry,
        resources=None if resource is None else {0: resource},
        services=services,
    )
    seen: dict[str, list[Packet]] = {key: [] for key in observed}
    for number, key in enumerate(observed):
        graph.observe_output_stream(f"out{number}", _collect(seen[key]))
    with graph:
        graph.start_run(
            {f"side{number}": value for number, value in enumerate(side_packets.values())}
        )
        for packet, stream in _in_order(inputs):
            graph.add_packet_to_input_stream(stream, packet)
    return seen


def _collect(packets: list[Packet]) -> Any:
    return lambda name, packet: packets.append(packet)


def _outputs(calculator: type[Calculator], inputs: Mapping[str, Iterable[Any]]) -> list[str]:
    """The class's outputs; "TAG:*" has the indexes that the inputs of that tag have."""
    keys = []
    for key in calculator.outputs:
        tag, index = parse_port_key(key)
        if index is not None:
            keys.append(key)
            continue
        same = [one for one in map(parse_port_key, inputs) if one[0] == tag]
        keys += [f"{tag}:{n}" if n else tag for n in range(max(len(same), 1))]
    return keys


def _in_order(inputs: Mapping[str, Iterable[Any]]) -> list[tuple[Packet, str]]:
    packets = []
    for number, values in enumerate(inputs.values()):
        for time, value in enumerate(values):
            packet = value if isinstance(value, Packet) else Packet(value, time)
            packets.append((packet if packet._time != UNSET else packet.at(time), f"in{number}"))
    return sorted(packets, key=lambda each: each[0]._time)


def _text(
    inputs: Sequence[str],
    side_packets: Sequence[str],
    outputs: Sequence[str],
    options: Message | Mapping[str, Any] | None,
    node: str,
) -> str:
    lines = [f'input_stream: "in{number}"' for number in range(len(inputs))]
    lines += ["max_queue_size: -1", 'node { calculator: "CalculatorUnderTest"']
    lines += _ports("input_stream", inputs, "in")
    lines += _ports("input_side_packet", side_packets, "side")
    lines += _ports("output_stream", outputs, "out")
    if options is not None:
        lines.append(f"node_options {{ {_options(options)} }}")
    return "\n".join([*lines, node, "}"])


def _ports(field: str, keys: Sequence[str], name: str) -> list[str]:
    return [
        f'{field}: "{_prefix(key)}{name}{number}"' for number, key in enumerate(_canonical(keys))
    ]


def _canonical(keys: Sequence[str]) -> list[tuple[str, int]]:
    return [(tag, index or 0) for tag, index in map(parse_port_key, keys)]


def _prefix(key: tuple[str, int]) -> str:
    tag, index = key
    return f"{tag}:{index}:" if tag else ""


def _options(options: Message | Mapping[str, Any]) -> str:
    if isinstance(options, Message):
        body = text_format.MessageToString(options, as_one_line=True)
        return f"[type.googleapis.com/{options.DESCRIPTOR.full_name}] {{ {body} }}"
    return f"[type.googleapis.com/google.protobuf.Struct] {{ {_struct(options)} }}"


def _struct(mapping: Mapping[str, Any]) -> str:
    return " ".join(
        f"fields {{ key: {json.dumps(key)} value {{ {_value(value)} }} }}"
        for key, value in mapping.items()
    )


def _value(value: Any) -> str:
    if value is None:
        return "null_value: NULL_VALUE"
    if isinstance(value, bool):
        return f"bool_value: {str(value).lower()}"
    if isinstance(value, int | float):
        return f"number_value: {value}"
    if isinstance(value, Mapping):
        return f"struct_value {{ {_struct(value)} }}"
    if isinstance(value, str):
        return f"string_value: {json.dumps(value)}"
    values = " ".join(f"values {{ {_value(one)} }}" for one in value)
    return f"list_value {{ {values} }}"

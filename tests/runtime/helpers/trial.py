"""A graph on trial: what was observed, by stream, as (value, time) pairs."""

from typing import Any

import trial_calculators  # noqa: F401  (registers them)

from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp

EMPTY = "empty"


class Trial:
    """A graph whose calculators may come from `trial_calculators`, with every named stream observed."""

    def __init__(self, text: str, *streams: str, bounds: bool = False, **graph: Any) -> None:
        self.graph = CalculatorGraph(graph_config='package: "trial"\n' + text, **graph)
        self.seen: dict[str, list[tuple[Any, int]]] = {name: [] for name in streams}
        for name in streams:
            self.graph.observe_output_stream(name, self._see, bounds)

    def _see(self, name: str, packet: Packet) -> None:
        value = EMPTY if packet.is_empty() else packet.value
        self.seen[name].append((value, int(packet.timestamp)))

    def start(self, **side_packets: Any) -> "Trial":
        self.graph.start_run(side_packets)
        return self

    def add(self, stream: str, value: Any, time: int) -> None:
        self.graph.add_packet_to_input_stream(stream, Packet(value), Timestamp.of(time))

    def bound(self, stream: str, time: int) -> None:
        self.graph.set_input_stream_timestamp_bound(stream, time)

    def idle(self) -> None:
        self.graph.wait_until_idle()

    def finish(self) -> None:
        self.graph.close_all_packet_sources()
        self.graph.wait_until_done()

    def values(self, stream: str) -> list[Any]:
        return [value for value, _ in self.seen[stream]]

    def times(self, stream: str) -> list[int]:
        return [time for _, time in self.seen[stream]]

    def clear(self) -> None:
        for seen in self.seen.values():
            seen.clear()


def node(calculator: str, inputs: str = "", outputs: str = "", extra: str = "") -> str:
    """One node; streams as "TAG:a b"."""
    ports = [f'input_stream: "{name}"' for name in inputs.split()]
    ports += [f'output_stream: "{name}"' for name in outputs.split()]
    return f'node {{ calculator: "{calculator}" {" ".join(ports)} {extra} }}\n'


def inputs(*names: str) -> str:
    return "".join(f'input_stream: "{name}"\n' for name in names)


def options(**fields: Any) -> str:
    """Node options as a Struct."""
    entries = " ".join(
        f'fields {{ key: "{key}" value {{ {_value(value)} }} }}' for key, value in fields.items()
    )
    return f"node_options {{ [type.googleapis.com/google.protobuf.Struct] {{ {entries} }} }}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'string_value: "{value}"'
    return f"number_value: {value}"

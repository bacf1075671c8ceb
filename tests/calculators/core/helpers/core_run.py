"""A graph of core calculators, what is sent to it, and what was seen of it as (time, value) pairs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import Timestamp

SETTLED = "(settled)"
"""What is seen in place of a value when only a bound came."""

Seen = list[tuple[int, Any]]


def ports(field: str, names: str) -> str:
    return "".join(f'{field}: "{name}" ' for name in names.split())


def node(
    calculator: str,
    inputs: str = "",
    outputs: str = "",
    *,
    side: str = "",
    side_out: str = "",
    options: str = "",
    extra: str = "",
) -> str:
    """One node. Ports are separated by blanks; `options` is the inside of the message <calculator>Options."""
    if options:
        options = f"options {{ [mediapipe.{calculator}Options.ext] {{ {options} }} }}"
    return (
        f'node {{ calculator: "{calculator}" {ports("input_stream", inputs)}'
        f"{ports('output_stream', outputs)}{ports('input_side_packet', side)}"
        f"{ports('output_side_packet', side_out)}{options} {extra} }}\n"
    )


BACK_EDGE = 'input_stream_info {{ tag_index: "{}" back_edge: true }}'


class Run:
    """A started graph with all the named outputs observed; leave it with `with`, which drops it."""

    def __init__(
        self,
        graph: str,
        outputs: str = "out",
        inputs: str = "",
        side_packets: Mapping[str, Any] | None = None,
        *,
        bounds: bool = False,
    ) -> None:
        self.graph = CalculatorGraph(graph_config=ports("input_stream", inputs) + graph)
        self.seen: dict[str, Seen] = {name: [] for name in outputs.split()}
        for name in self.seen:
            self.graph.observe_output_stream(name, self._see, bounds)
        self.graph.start_run(side_packets)

    def _see(self, name: str, packet: Packet) -> None:
        value = SETTLED if packet.is_empty() else packet.value
        self.seen[name].append((int(packet.timestamp), value))

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What the test had to say of the run's errors it has said.
        with suppress(StatusError):
            self.graph.close()

    def send(self, stream: str, *packets: tuple[int, Any]) -> None:
        for time, value in packets:
            self.graph.add_packet_to_input_stream(stream, Packet(value), Timestamp.of(time))

    def bound(self, stream: str, time: int) -> None:
        self.graph.set_input_stream_timestamp_bound(stream, Timestamp.of(time))

    def idle(self) -> dict[str, Seen]:
        """What was seen so far, once the graph is at rest."""
        self.graph.wait_until_idle()
        return self.seen

    def finish(self) -> dict[str, Seen]:
        self.graph.close_all_input_streams()
        self.graph.wait_until_done()
        return self.seen


def run(
    graph: str,
    packets: Mapping[str, Sequence[tuple[int, Any]]],
    outputs: str = "out",
    side_packets: Mapping[str, Any] | None = None,
    *,
    bounds: bool = False,
) -> dict[str, Seen]:
    """All that is seen when the packets are sent in the order of their times."""
    with Run(graph, outputs, " ".join(packets), side_packets, bounds=bounds) as running:
        in_order = sorted((time, name) for name, sent in packets.items() for time, _ in sent)
        values = {(name, time): value for name, sent in packets.items() for time, value in sent}
        for time, name in in_order:
            running.send(name, (time, values[name, time]))
        return running.finish()


def seen(*args: Any, **kwargs: Any) -> Seen:
    """`run` where the only output is `out`."""
    return run(*args, **kwargs)["out"]


def at(times: Sequence[int], values: Sequence[Any] | None = None) -> Seen:
    """Packets at these times, each holding its time unless values are given."""
    return list(zip(times, times if values is None else values, strict=True))

"""What a calculator's methods see of their node: its inputs, outputs, side packets and options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from calcgraph.proto.profile_pb2 import GraphProfile
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.packet import EMPTY, NO_VALUE, Packet
from calcgraph.runtime.streams import OutputStream
from calcgraph.runtime.timestamp import (
    ONE_OVER_POST_STREAM,
    POST_STREAM,
    PRE_STREAM,
    UNSET,
    UNSTARTED,
    Timestamp,
    next_allowed,
    text,
)

if TYPE_CHECKING:
    from calcgraph.runtime.counters import Counter
    from calcgraph.runtime.node import Node
    from calcgraph.runtime.plan import Port

T = TypeVar("T")
Key = str | int | tuple[str, int]
"""How a calculator names a port: "TAG", ("TAG", i), or an int for an untagged one."""


class Ports(Generic[T]):
    """What stands at each port of one side of a node, in canonical order."""

    __slots__ = ("_ids", "_items", "_kind")

    def __init__(self, kind: str, ids: Mapping[Key, int], items: list[T]) -> None:
        self._kind = kind
        self._ids = ids
        self._items = items

    def __getitem__(self, key: Key) -> T:
        try:
            return self._items[self._ids[key]]
        except KeyError:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"the node has no {self._kind} {_spell(key)}; it has {self._list()}",
            ) from None

    def get(self, tag: str = "", index: int = 0) -> T:
        return self[tag, index]

    def __contains__(self, key: Key) -> bool:
        return key in self._ids

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """The (tag, index) of every port."""
        return (key for key in self._ids if isinstance(key, tuple))

    def __len__(self) -> int:
        return len(self._items)

    def values(self) -> list[T]:
        """What stands at the ports, in canonical order."""
        return list(self._items)

    def tags(self) -> list[str]:
        return list(dict.fromkeys(tag for tag, _ in self))

    def count(self, tag: str = "") -> int:
        """How many ports have this tag; "" counts the untagged ones."""
        return sum(t == tag for t, _ in self)

    def _list(self) -> str:
        return ", ".join(_spell(key) for key in self) or "none"


def port_ids(ports: Sequence[Port]) -> dict[Key, int]:
    """Every key under which a port may be asked for."""
    ids: dict[Key, int] = {}
    for id, port in enumerate(ports):
        ids[port.tag, port.index] = id
        if port.index == 0:
            ids[port.tag] = id
        if not port.tag:
            ids[port.index] = id
    return ids


def _spell(key: Key) -> str:
    if isinstance(key, tuple):
        tag, index = key
        return repr(f"{tag}:{index}" if tag and index else tag or index)
    return repr(key)


class Inputs(Ports[Packet]):
    """The packets of one input set; an input without one holds an empty packet at its settled time."""

    __slots__ = ("_streams",)

    def __init__(
        self, ids: Mapping[Key, int], items: list[Packet], streams: Sequence[OutputStream]
    ) -> None:
        super().__init__("input", ids, items)
        self._streams = streams

    def header(self, key: Key = 0) -> Packet:
        """The stream's header, empty if its writer set none. Known from `open` on."""
        return self._streams[self._ids[key]].header


class OutputPort:
    """One output of a node. What is written goes out when the calculator's method has returned."""

    __slots__ = ("_closing", "_context", "_explicit", "packets", "special", "stream")

    def __init__(self, stream: OutputStream, context: CalculatorContext) -> None:
        self.stream = stream
        self._context = context
        self.packets: list[Packet] = []
        self._explicit: int = UNSET
        self._closing = False
        self.special = not stream.plain
        """There may be more to deliver than a packet."""

    def add(self, value: Any, timestamp: int | None = None) -> None:
        """Write a value, at the time of the input unless told otherwise."""
        self.add_packet(Packet(value, self._context._time if timestamp is None else timestamp))

    def add_packet(self, packet: Packet) -> None:
        """Write a packet at its own time. An empty one says: nothing up to and including that time.

        Raises INVALID_ARGUMENT for a time no stream can have and for a value of the wrong type,
        FAILED_PRECONDITION when the stream is closed.
        """
        if (
            not PRE_STREAM <= packet._time <= POST_STREAM
            or self.stream.type is not None
            or packet._payload is NO_VALUE
            or self.stream.closed
            or self._closing
        ):
            self._check(packet)
            if packet._payload is NO_VALUE:
                self.set_next_timestamp_bound(next_allowed(packet._time))
                return
        self._explicit = UNSET
        self.packets.append(packet)

    def _check(self, packet: Packet) -> None:
        name = self.stream.name
        if self.is_closed():
            raise status_error(Code.FAILED_PRECONDITION, f'Packet sent to closed stream "{name}".')
        if not PRE_STREAM <= packet._time <= POST_STREAM:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'In stream "{name}", timestamp not specified or set to illegal value: '
                f"{text(packet._time)}",
            )
        kind = self.stream.type
        if kind is not None and packet._payload is not NO_VALUE:
            check_type(f'Packet type mismatch on stream "{name}"', packet._payload, kind)

    def set_next_timestamp_bound(self, bound: int) -> None:
        """Promise that no packet earlier than `bound` will follow."""
        if self.is_closed():
            return
        if not PRE_STREAM <= bound <= ONE_OVER_POST_STREAM:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'In stream "{self.stream.name}", {text(bound)} cannot be a timestamp bound',
            )
        self._explicit = bound
        self.special = True

    @property
    def next_timestamp_bound(self) -> Timestamp:
        """The earliest time that a further packet may have, given what was written so far."""
        if self._explicit != UNSET:
            return Timestamp.of(self._explicit)
        if self.packets:
            return Timestamp.of(next_allowed(self.packets[-1]._time))
        return Timestamp.of(self.stream.bound)

    def close(self) -> None:
        """Nothing more will be written here; what was written in this call still goes out."""
        self._closing = True
        self.special = True

    def is_closed(self) -> bool:
        return self._closing or self.stream.closed

    def set_header(self, packet: Packet) -> None:
        """Give the stream its header; in `open` only."""
        self._in_open_only("set_header")
        if packet._time != UNSET:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'Headers must not have a timestamp.  Stream: "{self.stream.name}".',
            )
        self.stream.header = packet

    def set_offset(self, offset: int) -> None:
        """Promise no packet earlier than input + offset; in `open` only."""
        self._in_open_only("set_offset")
        self.stream.set_offset(offset)
        self.special = True

    def _in_open_only(self, deed: str) -> None:
        if self._context._time != UNSTARTED:
            raise status_error(
                Code.FAILED_PRECONDITION,
                f"{deed} works in open() only; node {self._context.node_name!r} called it later",
            )

    def flush(self, input_time: int) -> None:
        """Deliver what the call at `input_time` wrote."""
        if self._closing:
            # Of a stream that ends, readers see no bound but the end.
            self.flush_last()
            return
        packets, explicit, stream = self.packets, self._explicit, self.stream
        if packets:
            self.packets = []
        self._explicit = UNSET
        self.special = not stream.plain
        if not stream.closed:
            stream.deliver(packets, explicit, input_time)

    def flush_last(self) -> None:
        """Deliver what `close` wrote, and end the stream."""
        packets, self.packets = self.packets, []
        if not self.stream.closed:
            for packet in packets:
                self.stream.send(packet)
            self.stream.close()

    def discard(self) -> None:
        self.packets = []
        self._explicit = UNSET


def check_type(what: str, value: Any, kind: Any) -> None:
    """Raises INVALID_ARGUMENT unless the value is of that Python type."""
    if not isinstance(value, kind):
        expected = getattr(kind, "__name__", None) or str(kind)
        raise status_error(
            Code.INVALID_ARGUMENT,
            f"{what}: expected {expected}, found {type(value).__name__}",
        )


class OutputSidePort:
    """One side packet that a node makes: set once per run, in any method."""

    __slots__ = ("_type", "announced", "name", "packet")

    def __init__(self, name: str, kind: Any = None) -> None:
        self.name = name
        self._type = kind
        self.packet = EMPTY
        self.announced = False

    def set(self, value: Any) -> None:
        """Give the value, or a packet without a timestamp.

        Raises ALREADY_EXISTS the second time, INVALID_ARGUMENT for an empty packet, a timestamp or a
        value of the wrong type.
        """
        packet = value if isinstance(value, Packet) else Packet(value)
        name = self.name
        if self.packet is not EMPTY:
            raise status_error(Code.ALREADY_EXISTS, f'Output side packet "{name}" was already set.')
        if packet.is_empty():
            raise status_error(Code.INVALID_ARGUMENT, f'Output side packet "{name}" is empty.')
        if packet._time != UNSET:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f'Output side packet "{name}" has a timestamp {text(packet._time)}.',
            )
        if self._type is not None:
            check_type(f'Output side packet "{name}"', packet._payload, self._type)
        self.packet = packet


class CalculatorContext:
    """One call's view of a node. Methods of one calculator get the same context unless they overlap."""

    __slots__ = (
        "_method",
        "_node",
        "_time",
        "done",
        "input_side_packets",
        "inputs",
        "output_side_packets",
        "outputs",
    )

    inputs: Inputs
    outputs: Ports[OutputPort]
    input_side_packets: Ports[Packet]
    output_side_packets: Ports[OutputSidePort]

    def __init__(self, node: Node) -> None:
        self._node = node
        self._time: int = UNSTARTED
        self._method: Callable[[CalculatorContext], Any] | None = None
        self.done = False

    @property
    def timestamp(self) -> Timestamp:
        """The time of the input set; Unstarted in `open`, Done in `close`, 0 in a source."""
        return Timestamp.of(self._time)

    @property
    def node_name(self) -> str:
        return self._node.name

    @property
    def options(self) -> Any:
        """The node's options, of the message type that the class declares; None if it declares none."""
        return self._node.plan.options

    @property
    def resource(self) -> Any:
        """What the class's `load` returned for this node."""
        return self._node.resource

    def counter(self, name: str) -> Counter:
        """The graph's counter "<node>-<name>"."""
        return self._node.scheduler.counters.get(f"{self._node.name}-{name}")

    def service(self, key: str) -> Any:
        """The graph-wide object of that key, None when it is optional and absent.

        Raises FAILED_PRECONDITION when the calculator's contract did not ask for it.
        """
        if key not in self._node.plan.contract.services:
            raise status_error(
                Code.FAILED_PRECONDITION,
                f'node "{self.node_name}" asks for service "{key}", which its contract does not name; '
                f'say contract.use_service("{key}")',
            )
        return self._node.scheduler.services.get(key)

    def capture_profile(self) -> GraphProfile:
        """Trace and profiles of the whole graph since the last capture; then they start anew."""
        run = self._node.scheduler
        return (
            run.watch.capture() if run.watch is not None else GraphProfile(config=run.plan.config)
        )

    @property
    def graph_status(self) -> StatusError | None:
        """What went wrong in the run until now; None if nothing did. For `close`."""
        run = self._node.scheduler
        return run.combined_error("") if run.failed else None

    @property
    def services(self) -> Mapping[str, Any]:
        """All services of the run, for a graph that the calculator makes: `CalculatorGraph(services=...)`."""
        return self._node.scheduler.services

    def set_offset(self, offset: int) -> None:
        """Promise no output earlier than input + offset, on all outputs; in `open` only."""
        if self._time != UNSTARTED:
            raise status_error(
                Code.FAILED_PRECONDITION,
                f"set_offset works in open() only; node {self.node_name!r} called it later",
            )
        for port in self.outputs.values():
            port.set_offset(offset)

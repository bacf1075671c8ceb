"""When a node's inputs are ready, and which packets belong together: the rules all handlers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from google.protobuf.message import Message

from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import (
    DONE,
    MAX,
    ONE_OVER_POST_STREAM,
    POST_STREAM,
    UNSET,
    UNSTARTED,
    previous_allowed,
)

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port

NOT_READY: Final = 0
PROCESS: Final = 1
CLOSE: Final = 2


class InputStreamHandler:
    """Decides for one node. A verdict of `readiness` comes with `time`.

    PROCESS: the time to process; `fill` then takes that input set out of the queues.
    NOT_READY: the time below which the inputs are settled, which the outputs' offsets pass on.
    """

    queue_class: ClassVar[type[InputQueue]] = InputQueue
    batch_size = 1

    def __init__(
        self, ports: Sequence[Port], options: Message | None, process_timestamp_bounds: bool
    ) -> None:
        self.time: int = UNSET
        self.queues: Sequence[InputQueue] = ()
        self.process_timestamp_bounds = process_timestamp_bounds
        self.configure(ports, options)

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        """Read the options. Raises ValueError for what cannot work with these ports."""

    def attach(self, queues: Sequence[InputQueue]) -> None:
        """The node's queues, in port order; once, before any packet."""
        self.queues = queues

    def readiness(self) -> int:
        raise NotImplementedError

    def fill(self, time: int, items: list[Packet]) -> None:
        """Put the input set at `time` into `items`."""
        for id, queue in enumerate(self.queues):
            items[id] = queue.take(time)


class SyncSet:
    """Inputs whose packets of one time are processed together (SyncSet in input_stream_handler.cc)."""

    __slots__ = (
        "_blocker",
        "_bounds_too",
        "_is_blocked",
        "ids",
        "last_processed",
        "queues",
        "time",
    )

    def __init__(self, ids: Sequence[int], bounds_too: bool) -> None:
        self.ids = ids
        self.queues: Sequence[InputQueue] = ()
        self.last_processed: int = UNSET
        self.time: int = UNSET
        self._bounds_too = bounds_too
        self._blocker: InputQueue | None = None
        """An empty queue that was settled least when the verdict was last NOT_READY."""
        self._is_blocked = False

    def readiness(self) -> int:
        blocker = self._blocker
        if (
            self._is_blocked
            and blocker is not None
            and not blocker.packets
            and blocker.bound == self.time
        ):
            # Whatever came to the others is not earlier, so the verdict stands. A join of n inputs
            # looks at all of them not for each packet, but when the slowest input has its packet.
            return NOT_READY
        packet: int = DONE
        bound: int = DONE
        lowest = None
        for queue in self.queues:
            if queue.packets:
                t = queue.packets[0]._time
                if t < packet:
                    packet = t
            elif queue.bound < bound:
                bound = queue.bound
                lowest = queue
        self._is_blocked = False
        self.time = time = packet if packet < bound else bound
        if time >= ONE_OVER_POST_STREAM:
            self.time = DONE
            self.last_processed = MAX
            return CLOSE
        if self._bounds_too:
            return self._settled(packet, bound)
        if bound > packet:
            self.last_processed = packet
            return PROCESS
        self._is_blocked = True
        # The input that was waited for last time is likely to come last again.
        if blocker is None or blocker.packets or blocker.bound != bound:
            self._blocker = lowest
        return NOT_READY

    def _settled(self, packet: int, bound: int) -> int:
        settled = packet if packet == POST_STREAM < bound else previous_allowed(bound)
        time = min(packet, settled)
        if time > max(self.last_processed, UNSTARTED):
            self.time = self.last_processed = time
            return PROCESS
        return NOT_READY

    def fill(self, time: int, items: list[Packet]) -> None:
        for id, queue in zip(self.ids, self.queues, strict=True):
            items[id] = queue.take(time)

    def fill_bounds(self, items: list[Packet]) -> None:
        for id, queue in zip(self.ids, self.queues, strict=True):
            items[id] = queue.settled()

"""A control input says, time by time, which one of the data inputs to wait for."""

from __future__ import annotations

from calcgraph.runtime.errors import Code, status_error
from calcgraph.runtime.input_handlers.base import CLOSE, NOT_READY, PROCESS, InputStreamHandler
from calcgraph.runtime.packet import EMPTY, Packet
from calcgraph.runtime.timestamp import DONE, next_allowed


class MuxInputStreamHandler(InputStreamHandler):
    """The last input in canonical order holds the number of a data input. Ends with the control input."""

    def readiness(self) -> int:
        control = self.queues[-1]
        self.time = control.min_time_or_bound
        self._drop_before(self.time)
        if not control.packets:
            return CLOSE if self.time == DONE else NOT_READY
        data = self.queues[self._selected(control.packets[0])]
        waiting = not data.packets and data.bound <= self.time
        return NOT_READY if waiting else PROCESS

    def _selected(self, packet: Packet) -> int:
        """Raises INVALID_ARGUMENT when the control packet names no data input."""
        choice = packet.get(int)
        last = len(self.queues) - 2
        if not 0 <= choice <= last:
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"the control packet at {packet.timestamp} selects input {choice}; "
                f"there are inputs 0 to {last}",
            )
        return int(choice)

    def fill(self, time: int, items: list[Packet]) -> None:
        control = self.queues[-1].take(time)
        chosen = self._selected(control)
        items[:] = [EMPTY] * len(items)
        items[-1] = control
        items[chosen] = self.queues[chosen].take(time)
        self._drop_before(next_allowed(time))

    def _drop_before(self, time: int) -> None:
        for queue in self.queues[:-1]:
            queue.drop_before(time)

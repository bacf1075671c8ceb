"""Which inferences have ended: told by OpenVINO's threads, heard by the worker's."""

import threading
from collections import deque


class Landings:
    """Numbers of requests in the order in which they ended.

    An object of its own, since OpenVINO holds on to what it is to call: it must not hold the worker.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        """Notified when there is something for the worker to do; it guards this and the schedule."""
        self._ended: deque[int] = deque()

    def add(self, number: int) -> None:
        with self.changed:
            self._ended.append(number)
            self.changed.notify()

    def pop(self) -> int | None:
        """The next, None if there is none; `changed` is held."""
        return self._ended.popleft() if self._ended else None

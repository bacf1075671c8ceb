"""Groups of inputs: within a group packets wait for each other, between groups they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from calcgraph.proto.handlers_pb2 import SyncSetInputStreamHandlerOptions
from calcgraph.runtime.input_handlers.base import (
    CLOSE,
    NOT_READY,
    PROCESS,
    InputStreamHandler,
    SyncSet,
)
from calcgraph.runtime.input_handlers.tag_index import port_id
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue
from calcgraph.runtime.timestamp import DONE

if TYPE_CHECKING:
    from calcgraph.runtime.plan import Port


class SyncSetInputStreamHandler(InputStreamHandler):
    """The groups that `sync_set` names, and one more of all other inputs. The earliest ready group goes first."""

    def configure(self, ports: Sequence[Port], options: Message | None) -> None:
        groups: list[list[int]] = []
        free = dict.fromkeys(range(len(ports)))
        if isinstance(options, SyncSetInputStreamHandlerOptions):
            for named in options.sync_set:
                if not named.tag_index:
                    raise ValueError("a sync_set names at least one input")
                groups.append([_claim(ports, free, spec) for spec in named.tag_index])
        if free:
            groups.append(list(free))
        self._all = [SyncSet(ids, self.process_timestamp_bounds) for ids in groups]
        self._open = list(self._all)
        self._ready: SyncSet | None = None

    def attach(self, queues: Sequence[InputQueue]) -> None:
        self.queues = queues
        for sync_set in self._all:
            sync_set.queues = [queues[id] for id in sync_set.ids]

    def readiness(self) -> int:
        if self._ready is None:
            self._choose()
        if self._ready is not None:
            return PROCESS
        if not self._open:
            self.time = DONE
            return CLOSE
        self.time = min(sync_set.time for sync_set in self._open)
        return NOT_READY

    def _choose(self) -> None:
        self.time = DONE
        for sync_set in tuple(self._open):
            verdict = sync_set.readiness()
            if verdict == CLOSE:
                self._open.remove(sync_set)
            elif verdict == PROCESS and sync_set.time < self.time:
                self._ready = sync_set
                self.time = sync_set.time

    def fill(self, time: int, items: list[Packet]) -> None:
        for sync_set in self._open:
            if sync_set is self._ready:
                sync_set.fill(time, items)
            else:
                sync_set.fill_bounds(items)
        self._ready = None


def _claim(ports: Sequence[Port], free: dict[int, None], spec: str) -> int:
    id = port_id(ports, spec)
    if id not in free:
        raise ValueError(f'input "{spec}" is in more than one sync_set')
    del free[id]
    return id

"""What one model is compiled to: a program for all shapes at once, then others that are faster.

There are two ways to use several threads. Side by side, each infers a dispatch of its own: nobody waits
for the slowest, which costs 10 to 20 % less processor time on a box that has other work too. Together
they infer one: a few texts come back in half the time.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

from calcgraph.calculators.engine.compiled import Program, Request
from calcgraph.calculators.engine.shapes import Shape, ShapeTable, full_shape, lone_shapes

log = logging.getLogger("calcgraph.engine")

Shapes = Shape | ShapeTable
Compile = Callable[[Shapes, int], Program]
"""For these shapes, with so many streams."""

MEMORY = 256 << 20
"""Bytes to spend on more programs than one, each of which packs the weights for itself."""


def affordable(streams: int, weight_bytes: int) -> int:
    """So many inferences side by side, if there is memory for other programs beside theirs; else 1."""
    return streams if _more_programs(weight_bytes) else 1


def _more_programs(weight_bytes: int) -> int:
    return MEMORY // max(1, weight_bytes)


class Programs:
    """Requests for every shape of a table.

    `build` compiles the program that runs them all and returns; the others follow in the background,
    those first that are worth most, and take over as they become ready.
    """

    def __init__(
        self, compile_shapes: Compile, table: ShapeTable, *, streams: int, weight_bytes: int
    ) -> None:
        """`streams` inferences side by side: what `affordable` says."""
        self.table = table
        self.streams = streams
        self._compile = compile_shapes
        self._more = self._worth_most()[: _more_programs(weight_bytes)]
        self._compiled: dict[tuple[Shapes, int], Program] = {}
        self._idle: dict[Shape, list[Request]] = defaultdict(list)
        self._background: threading.Thread | None = None
        self._stop = threading.Event()

    def _worth_most(self) -> Sequence[tuple[Shapes, int]]:
        lone: list[tuple[Shapes, int]] = [(shape, 1) for shape in lone_shapes(self.table)]
        together: list[tuple[Shapes, int]] = [(self.table, 1)] if self.streams > 1 else []
        return [*together, *lone[:3], (full_shape(self.table), self.streams), *lone[3:]]

    def build(self) -> Program:
        """Compile everything anew; returns the program of all shapes. What OpenVINO raises passes."""
        self.close()
        self._idle = defaultdict(list)
        program = self._compile(self.table, self.streams)
        self._compiled = {(self.table, self.streams): program}
        self._stop = threading.Event()
        self._background = threading.Thread(
            target=self._compile_more,
            args=(self._stop, self._compiled),
            name="engine-compile",
            daemon=True,
        )
        self._background.start()
        return program

    def complete(self) -> None:
        """Wait until every program is compiled."""
        if self._background is not None:
            self._background.join()

    def request(self, shape: Shape, *, alone: bool) -> Request:
        """A request nobody uses, to run on all threads while nothing else does or side by side."""
        streams = 1 if alone else self.streams
        wanted = ((shape, streams), (self.table, streams), (self.table, self.streams))
        program = next(self._compiled[key] for key in wanted if key in self._compiled)
        idle = self._idle[shape]
        for request in idle:
            if request.program is program:
                idle.remove(request)
                return request
        return Request(program, shape)

    def release(self, request: Request) -> None:
        """`request` is used no more."""
        self._idle[request.shape].append(request)

    def close(self) -> None:
        """Compile no more; a program that is being compiled is finished first."""
        self._stop.set()
        self.complete()

    def _compile_more(
        self, stop: threading.Event, compiled: dict[tuple[Shapes, int], Program]
    ) -> None:
        for shapes, streams in self._more:
            if stop.is_set():
                return
            try:
                compiled[shapes, streams] = self._compile(shapes, streams)
            except RuntimeError:
                log.exception("%s does not compile, the program of all shapes stands in", shapes)

"""What one model is compiled to: a program for all shapes at once, then the hot shapes' own."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from calcgraph.calculators.engine.compiled import Program, Request
from calcgraph.calculators.engine.shapes import Shape, ShapeTable

log = logging.getLogger("calcgraph.engine")


class Programs:
    """Requests for every shape of a table.

    `build` compiles the dynamic program and returns; the static programs of the `hot` shapes follow
    in the background, in the order given, and take over as they become ready.
    """

    def __init__(
        self,
        compile_shapes: Callable[[Shape | ShapeTable], Program],
        table: ShapeTable,
        hot: Iterable[Shape],
    ) -> None:
        self.table = table
        self._compile = compile_shapes
        self._hot = tuple(hot)
        self._dynamic: Program | None = None
        self._static: dict[Shape, Program] = {}
        self._idle: dict[Shape, list[Request]] = defaultdict(list)
        self._background: threading.Thread | None = None
        self._stop = threading.Event()

    def build(self) -> Program:
        """Compile everything anew; returns the dynamic program. What OpenVINO raises passes."""
        self.close()
        self._static = {}
        self._idle = defaultdict(list)
        self._dynamic = self._compile(self.table)
        self._stop = threading.Event()
        self._background = threading.Thread(
            target=self._compile_hot,
            args=(self._stop, self._static),
            name="engine-compile",
            daemon=True,
        )
        self._background.start()
        return self._dynamic

    def complete(self) -> None:
        """Wait until every hot shape has its own program."""
        if self._background is not None:
            self._background.join()

    def request(self, shape: Shape) -> Request:
        """A request nobody uses."""
        assert self._dynamic is not None, "build comes first"
        program = self._static.get(shape, self._dynamic)
        idle = self._idle[shape]
        while idle:
            request = idle.pop()
            if request.program is program:
                return request
        return Request(program, shape)

    def release(self, request: Request) -> None:
        """`request` is used no more."""
        self._idle[request.shape].append(request)

    def close(self) -> None:
        """Compile no more; a shape that is being compiled is finished first."""
        self._stop.set()
        self.complete()

    def _compile_hot(self, stop: threading.Event, static: dict[Shape, Program]) -> None:
        for shape in self._hot:
            if stop.is_set():
                return
            try:
                static[shape] = self._compile(shape)
            except RuntimeError:
                log.exception("shape %s does not compile, the dynamic program serves it", shape)

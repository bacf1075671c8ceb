"""The compiled shapes of one model: a few at once, the others in the background, all anew on demand."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from calcgraph.calculators.engine.compiled import Compiled, Request
from calcgraph.calculators.engine.shapes import Shape, ShapeTable

log = logging.getLogger("calcgraph.engine")


class Programs:
    """Compiled shapes and their idle requests. `table` grows as shapes become ready.

    `essential` shapes are compiled by `build`, which blocks; they must hold the longest text.
    """

    def __init__(
        self,
        compile_shape: Callable[[Shape], Compiled],
        essential: Iterable[Shape],
        others: Iterable[Shape],
    ) -> None:
        self._compile = compile_shape
        self._essential = tuple(dict.fromkeys(essential))
        self._others = tuple(s for s in others if s not in self._essential)
        self._compiled: dict[Shape, Compiled] = {}
        self._idle: dict[Shape, list[Request]] = defaultdict(list)
        self._background: threading.Thread | None = None
        self._stop = threading.Event()
        self.table = ShapeTable(())

    def build(self) -> Compiled:
        """Compile the essential shapes, dropping what there was, and begin with the others.

        Returns one of them. Whatever OpenVINO raises passes through.
        """
        self.close()
        compiled = {shape: self._compile(shape) for shape in self._essential}
        self._compiled = dict(compiled)
        self._idle = defaultdict(list)
        self.table = ShapeTable(compiled)
        self._stop = threading.Event()
        self._background = threading.Thread(
            target=self._compile_others, args=(self._stop,), name="engine-compile", daemon=True
        )
        self._background.start()
        return compiled[self._essential[0]]

    def complete(self) -> None:
        """Wait until every shape is compiled."""
        if self._background is not None:
            self._background.join()

    def request(self, shape: Shape) -> Request:
        idle = self._idle[shape]
        return idle.pop() if idle else self._compiled[shape].request()

    def release(self, request: Request) -> None:
        shape = request.of.shape
        if self._compiled.get(shape) is request.of:
            self._idle[shape].append(request)

    def close(self) -> None:
        """Stop compiling; the shape being compiled is finished first."""
        self._stop.set()
        self.complete()

    def _compile_others(self, stop: threading.Event) -> None:
        for shape in self._others:
            if stop.is_set():
                return
            try:
                self._compiled[shape] = self._compile(shape)
            except RuntimeError:
                log.exception("shape %s does not compile, going on without", shape)
                continue
            self.table = ShapeTable(self._compiled)

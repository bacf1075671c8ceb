"""What a calculator is to its author: ports declared as data, and open, process, close.

class Truncate(Calculator):
    \"\"\"Keep the leading numbers of each embedding (Matryoshka models).\"\"\"

    inputs = {"EMBEDDINGS": np.ndarray}
    outputs = {"EMBEDDINGS": np.ndarray}
    options = Struct

    def open(self, cc):
        self.dimensions = int(cc.options["dimensions"])

    def process(self, cc):
        cc.outputs["EMBEDDINGS"].add(cc.inputs["EMBEDDINGS"].value[:, : self.dimensions])
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

if TYPE_CHECKING:
    from calcgraph.proto import graph_pb2
    from calcgraph.runtime.context import CalculatorContext
    from calcgraph.runtime.contract import Contract, PortType
    from calcgraph.runtime.measurement import Measurement
    from calcgraph.runtime.plan import GraphPlan, NodePlan
    from calcgraph.runtime.subgraph import SubgraphContext
    from calcgraph.runtime.terms import Terms


class _Stop:
    """What a source returns from `process` when it has nothing more (absl's StatusStop)."""

    def __repr__(self) -> str:
        return "STOP"


STOP: Final = _Stop()


class Calculator:
    """One node of a graph. An instance lives for one run; its methods never overlap.

    Ports are keyed by tag: "TAG" is index 0 of the tag, "TAG:1" index 1, "TAG:*" any number of indexes,
    "" the first untagged port. The value is a Python type (packets are checked with isinstance), or one
    of `Any`, `optional(T)`, `same_as("TAG")`, `A | B` from `calcgraph.runtime.contract`.
    """

    inputs: ClassVar[Mapping[str, PortType]] = {}
    outputs: ClassVar[Mapping[str, PortType]] = {}
    input_side_packets: ClassVar[Mapping[str, PortType]] = {}
    output_side_packets: ClassVar[Mapping[str, PortType]] = {}

    options: ClassVar[type[Message] | None] = Struct
    """The message that holds this calculator's options; None for one that takes none."""

    light: ClassVar[bool] = False
    """`process` takes microseconds and never blocks: it runs at once on the thread that feeds it."""

    stateless: ClassVar[bool] = False
    """Promise: nothing of one packet is kept for the next, so that a served graph whose calculators all say
    so may answer one request after the other. Otherwise every request gets a graph of its own."""

    timestamp_offset: ClassVar[int | None] = 0
    """Promise: no output earlier than input + offset. None promises nothing."""

    process_timestamp_bounds: ClassVar[bool] = False
    """Call `process` also when inputs settle without a packet."""

    input_stream_handler: ClassVar[str | None] = None
    """Which inputs belong together; None is the graph's choice, else DefaultInputStreamHandler."""

    @classmethod
    def contract(cls, contract: Contract) -> None:
        """Declare ports that depend on the node's tags or options. The class attributes came first."""

    @classmethod
    def expand(cls, context: SubgraphContext) -> graph_pb2.CalculatorGraphConfig | None:
        """The graph that stands for this node, or None when the class itself runs."""
        return None

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> Any:
        """Open what is expensive, once per model: `cc.resource` of every instance. Closed by `unload`."""
        return None

    @classmethod
    def unload(cls, resource: Any) -> Awaitable[None] | None:
        """Close what `load` opened. May be `async def`, for what belongs to the server's event loop."""
        return None

    @classmethod
    def ready(cls, resource: Any) -> bool:
        """Whether what `load` opened can answer now; the model is ready when all its nodes are.

        Health checks ask, requests do not: one that comes meanwhile waits its turn.
        """
        return True

    @classmethod
    def admit(cls, resource: Any, terms: Terms) -> None:
        """Raise Overloaded when what `load` opened has too much to do already to take a request on such
        terms. Asked before anything is done for it, so that refusing costs next to nothing."""

    @classmethod
    def measurements(cls, resource: Any) -> Iterable[Measurement]:
        """What can be watched of what `load` opened; asked for with every look at /metrics."""
        return ()

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What the model's metadata says of this node, for example `{"dimensions": 384}`.

        `upstream` is what the nodes before it said. `inputs` and `outputs` hold sequences of
        `payload.TensorSpec`: the model's signature for tensor protocols.
        """
        return {}

    def open(self, cc: CalculatorContext) -> Any:
        """Once per run, before any packet; output is allowed."""

    def process(self, cc: CalculatorContext) -> Awaitable[Any] | Any:
        """Once per input set. May be `async def`. A source returns STOP when it is done."""
        raise NotImplementedError(f"{type(self).__name__} has no process()")

    def close(self, cc: CalculatorContext) -> Any:
        """Once per run if `open` succeeded, also after an error; output is allowed."""

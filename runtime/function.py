"""A calculator from a plain function.

    @calculator(inputs={"TEXT": str}, outputs={"TEXT": str})
    def shout(text):
        return text.upper() + "!"

`shout` is then a Calculator class, named `shout` in a graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext, Key
from calcgraph.runtime.contract import PortType, parse_port_key
from calcgraph.runtime.packet import Packet

_NONE: Final[Mapping[str, PortType]] = MappingProxyType({})
_CONTEXT: Final = "cc"


def calculator(
    *,
    inputs: Mapping[str, PortType] = _NONE,
    outputs: Mapping[str, PortType] = _NONE,
    input_side_packets: Mapping[str, PortType] = _NONE,
    options: type[Message] | None = Struct,
    light: bool = False,
    timestamp_offset: int | None = 0,
    input_stream_handler: str | None = None,
    name: str = "",
) -> Callable[[Callable[..., Any]], type[Calculator]]:
    """Make a Calculator class of a function, which is called once per input set; it may be `async`.

    Its parameters are the inputs, then the side packets, in the order declared. A parameter named `cc`,
    wherever it stands, is the context. An input without a packet gives the parameter's default; if it has
    none the function is not called. What is returned goes to the output, or, when there are several, a
    mapping by tag or a tuple in order declared; None writes nothing. A Packet is written at its own time.

    Raises TypeError when the parameters do not fit the ports.
    """

    def decorate(function: Callable[..., Any]) -> type[Calculator]:
        call = _Call(function, [*inputs], [*input_side_packets], [*outputs])
        base = _AsyncFunction if inspect.iscoroutinefunction(function) else _Function
        return type(
            name or function.__name__,
            (base,),
            {
                "__doc__": function.__doc__,
                "__module__": function.__module__,
                "call": call,
                "inputs": dict(inputs),
                "outputs": dict(outputs),
                "input_side_packets": dict(input_side_packets),
                "options": options,
                "light": light,
                "timestamp_offset": timestamp_offset,
                "input_stream_handler": input_stream_handler,
            },
        )

    return decorate


class _Function(Calculator):
    """What `calculator` makes of a `def`."""

    stateless = True
    call: _Call

    def process(self, cc: CalculatorContext) -> Any:
        call = self.call
        arguments = call.arguments(cc)
        if arguments is not None:
            call.write(cc, call.function(**arguments))


class _AsyncFunction(Calculator):
    """What `calculator` makes of an `async def`."""

    stateless = True
    call: _Call

    async def process(self, cc: CalculatorContext) -> Any:
        call = self.call
        arguments = call.arguments(cc)
        if arguments is not None:
            call.write(cc, await call.function(**arguments))


class _Call:
    """How a function's parameters and results map to ports; worked out once."""

    def __init__(
        self, function: Callable[..., Any], inputs: list[str], sides: list[str], outputs: list[str]
    ) -> None:
        self.function = function
        parameters = dict(inspect.signature(function).parameters)
        self._context = _CONTEXT in parameters
        parameters.pop(_CONTEXT, None)
        if len(parameters) != len(inputs) + len(sides):
            raise TypeError(
                f"{function.__name__}({', '.join(parameters)}) has {len(parameters)} parameters for "
                f"{len(inputs)} inputs and {len(sides)} side packets"
            )
        names = list(parameters)
        self._inputs = [
            (_port(key), name, parameters[name].default)
            for key, name in zip(inputs, names, strict=False)
        ]
        self._sides = [
            (_port(key), name, parameters[name].default)
            for key, name in zip(sides, names[len(inputs) :], strict=True)
        ]
        self._outputs = [_port(key) for key in outputs]

    def arguments(self, cc: CalculatorContext) -> dict[str, Any] | None:
        """The keyword arguments, None when something is missing that has no default."""
        arguments: dict[str, Any] = {_CONTEXT: cc} if self._context else {}
        for ports, wanted in ((cc.inputs, self._inputs), (cc.input_side_packets, self._sides)):
            for key, name, default in wanted:
                packet = ports[key] if key in ports else Packet()
                if not packet.is_empty():
                    arguments[name] = packet.value
                elif default is inspect.Parameter.empty:
                    return None
        return arguments

    def write(self, cc: CalculatorContext, result: Any) -> None:
        if result is None:
            return
        if len(self._outputs) <= 1:
            if self._outputs:
                _write(cc, self._outputs[0], result)
        elif isinstance(result, Mapping):
            for key, value in result.items():
                _write(cc, key, value)
        else:
            for key, value in zip(self._outputs, result, strict=True):
                _write(cc, key, value)


def _write(cc: CalculatorContext, key: Key, value: Any) -> None:
    if isinstance(value, Packet):
        cc.outputs[key].add_packet(value)
    elif value is not None:
        cc.outputs[key].add(value)


def _port(key: str) -> tuple[str, int]:
    tag, index = parse_port_key(key)
    if index is None:
        raise TypeError(f"a function cannot have any number of ports: found {key!r}; write a class")
    return tag, index

"""The canonical form of a graph: subgraphs expanded, nodes sorted and named, an executor declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf import text_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

from calcgraph.proto import graph_pb2
from calcgraph.proto.handlers_pb2 import ThreadPoolExecutorOptions
from calcgraph.runtime.binding import find_type
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import NOWHERE
from calcgraph.runtime.node_contract import Draft
from calcgraph.runtime.options import blocks_of
from calcgraph.runtime.plan import ExecutorPlan
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.struct_options import StructOptions

_TYPE_URL: Final = "type.googleapis.com/"


def config_text(config: graph_pb2.CalculatorGraphConfig) -> str:
    """A config as a graph.pbtxt, its options spelt out; `read_graph` reads it back."""
    return text_format.MessageToString(config, descriptor_pool=_EveryPool())  # type: ignore[arg-type]


class _EveryPool:
    """Finds the message types of Any fields wherever they are defined."""

    def FindMessageTypeByName(self, name: str) -> Any:
        found = find_type(name)
        if found is None:
            raise KeyError(name)
        return found


def canonical_config(
    graph: GraphConfig, drafts: Sequence[Draft], executors: Mapping[str, ExecutorPlan]
) -> graph_pb2.CalculatorGraphConfig:
    """What MediaPipe's `Config()` returns after validation, every option decoded into `node_options`."""
    config = graph_pb2.CalculatorGraphConfig()
    config.CopyFrom(graph.proto)
    del config.node[:]
    for draft in drafts:
        config.node.append(_node(draft, graph))
    _declare_default_executor(config, executors[""])
    _spell_out_graph_options(config)
    return config


def _spell_out_graph_options(config: graph_pb2.CalculatorGraphConfig) -> None:
    """Option blocks outside of nodes, in protobuf's own form where their type is known here."""
    for executor in config.executor:
        _spell_out(executor.options)
    _spell_out(config.options)
    _spell_out(config.input_stream_handler.options)
    for any_ in config.graph_options:
        for block in blocks_of(any_, NOWHERE):
            kind = find_type(block.type_name)
            if kind is not None:
                message = block.decode(GetMessageClass(kind), Problems())
                any_.Clear()
                any_.type_url = block.name
                any_.value = message.SerializePartialToString(deterministic=True)


def _spell_out(options: Message) -> None:
    if not options.ByteSize():
        return
    for block in list(blocks_of(options, NOWHERE)):
        kind = find_type(block.type_name)
        extensions = kind.extensions if kind is not None else ()
        for extension in extensions:
            if extension.containing_type is options.DESCRIPTOR and kind is not None:
                message = block.decode(GetMessageClass(kind), Problems())
                held: Any = options.Extensions[extension]
                held.CopyFrom(message)
    options.DiscardUnknownFields()


def _declare_default_executor(
    config: graph_pb2.CalculatorGraphConfig, default: ExecutorPlan
) -> None:
    if any(executor.name == "" for executor in config.executor):
        return
    added = config.executor.add()
    if config.num_threads:
        added.options.Extensions[ThreadPoolExecutorOptions.ext].num_threads = default.num_threads
        config.ClearField("num_threads")


def _node(draft: Draft, graph: GraphConfig) -> graph_pb2.CalculatorGraphConfig.Node:
    node = graph_pb2.CalculatorGraphConfig.Node()
    node.CopyFrom(draft.node.proto)
    had_options = node.HasField("options") or len(node.node_options) > 0
    node.ClearField("options")
    del node.node_options[:]
    if had_options and draft.options is not None:
        message = _message(draft.options)
        packed = node.node_options.add()
        packed.type_url = _TYPE_URL + message.DESCRIPTOR.full_name
        packed.value = message.SerializePartialToString(deterministic=True)
    if node.HasField("input_stream_handler") or graph.proto.HasField("input_stream_handler"):
        _set_handler(node, draft)
    return node


def _set_handler(node: graph_pb2.CalculatorGraphConfig.Node, draft: Draft) -> None:
    node.ClearField("input_stream_handler")
    node.input_stream_handler.input_stream_handler = draft.handler
    options = draft.handler_options
    if options is not None and options.ByteSize():
        extension = type(options).ext  # type: ignore[attr-defined]
        node.input_stream_handler.options.Extensions[extension].CopyFrom(options)


def _message(options: Message | StructOptions) -> Message:
    if not isinstance(options, StructOptions):
        return options
    struct = Struct()
    struct.update(dict(options))
    return struct

"""What MediaPipe's graphs may say and this runtime does not do: refused at its line, not ignored."""

from __future__ import annotations

from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code
from calcgraph.runtime.handlers import OUTPUT_HANDLER
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.problems import Problems

_GRAPH_FIELDS = {
    "packet_factory": "give the side packet to start_run, or use ConstantSidePacketCalculator",
    "packet_generator": "use a calculator with output_side_packet",
    "status_handler": "use the error of wait_until_done",
}

_TEMPLATE_OPTIONS = "mediapipe.TemplateSubgraphOptions"


def refuse_unsupported(
    config: GraphConfig, problems: Problems, *, is_subgraph: bool = False
) -> None:
    """Adds `not supported: ...` for each such field, with what to do instead."""
    proto = config.proto
    for name, instead in _GRAPH_FIELDS.items():
        for index in range(len(getattr(proto, name))):
            _refuse(problems, config, (name, index), f"{name}; {instead}")
    for number, node in enumerate(proto.node):
        if node.external_input:
            path = ("node", number, "external_input", 0)
            _refuse(problems, config, path, "external_input; call it input_side_packet")
        for block in OptionSet.of_node(node, config.location("node", number)).all:
            if block.type_name == _TEMPLATE_OPTIONS:
                what = "TemplateSubgraphOptions; let a class subgraph build the graph"
                problems.add(block.location, f"not supported: {what}", Code.UNIMPLEMENTED)
        if node.HasField("output_stream_handler"):
            _check_output_handler(problems, config, ("node", number, "output_stream_handler"))
    # A subgraph's own settings are dropped anyway.
    if proto.HasField("output_stream_handler") and not is_subgraph:
        _check_output_handler(problems, config, ("output_stream_handler",))


def _check_output_handler(
    problems: Problems, config: GraphConfig, path: tuple[str | int, ...]
) -> None:
    holder = config.proto.node[int(path[1])] if len(path) > 1 else config.proto
    name = holder.output_stream_handler.output_stream_handler
    if name != OUTPUT_HANDLER:
        problems.add(
            config.location(*path),
            f'Unable to find OutputStreamHandler "{name}", expected {OUTPUT_HANDLER}'
            f"{did_you_mean(name, [OUTPUT_HANDLER])}",
            Code.NOT_FOUND,
        )


def _refuse(
    problems: Problems, config: GraphConfig, path: tuple[str | int, ...], what: str
) -> None:
    problems.add(config.location(*path), f"not supported: {what}", Code.UNIMPLEMENTED)

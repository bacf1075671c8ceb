"""From a graph as it was written to a plan that can run, or to every mistake in it at once.

The stages are MediaPipe's (validated_graph_config.cc): expand subgraphs, check each node against its
contract, connect streams and side packets, sort, agree on types, check executors. MediaPipe stops at
the first stage that fails; here the later ones still run, and the first one decides the error's code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import networkx as nx
from google.protobuf.message import Message

from calcgraph.proto import options_pb2
from calcgraph.runtime.canonical import canonical_config
from calcgraph.runtime.config import GraphConfig, as_graph_config
from calcgraph.runtime.errors import NOWHERE, Code, GraphError, Problem, StatusError
from calcgraph.runtime.executor_plan import check_default_executor, plan_executors
from calcgraph.runtime.graph_node import nodes_of, numbered
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.node_contract import Draft, draft_node
from calcgraph.runtime.option_value import apply_option_values, check_graph_options
from calcgraph.runtime.plan import ExecutorPlan, GraphPlan, NodePlan, SidePacketPlan, StreamPlan
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.registry import REGISTRY, Registry
from calcgraph.runtime.subgraph import expand, with_subgraphs
from calcgraph.runtime.tags import TagMap
from calcgraph.runtime.typecheck import agree_on_types
from calcgraph.runtime.unsupported import refuse_unsupported
from calcgraph.runtime.wiring import (
    Edge,
    Wiring,
    check_graph_outputs,
    edges_between_nodes,
    needless_back_edges,
    topological_order,
    wire,
)

DEFAULT_QUEUE_SIZE: Final = 100


def plan_graph(
    config: GraphConfig | Message | str,
    *,
    base_path: Path = Path(),
    registry: Registry = REGISTRY,
    subgraphs: Iterable[GraphConfig | Message | str] = (),
    services: Mapping[str, Any] | None = None,
    executors: Collection[str] = (),
) -> GraphPlan:
    """Validate a graph. Raises GraphError with every mistake in it.

    `subgraphs` are configs usable by their `type:`, before any that is registered. `base_path` is what
    calculators resolve relative paths against. `executors` are the names of those that the application
    brings along.
    """
    graph = as_graph_config(config)
    problems = Problems()
    local = with_subgraphs(registry, map(as_graph_config, subgraphs), problems)
    drafts = _drafts(graph, local, services or {}, base_path, problems)
    problems.end_stage()
    graph_inputs = _graph_ports(graph, "input_stream", problems)
    graph_outputs = _graph_ports(graph, "output_stream", problems)
    for name in ("input_side_packet", "output_side_packet"):
        _graph_ports(graph, name, problems)
    wiring = wire(drafts, graph_inputs, problems)
    problems.end_stage()
    order = topological_order(drafts, wiring, problems)
    problems.end_stage()
    stream_types, side_types = agree_on_types(drafts, wiring, problems)
    problems.end_stage()
    executor_plans = plan_executors(graph, drafts, executors, problems)
    problems.end_stage()
    _check_queue_size(graph, problems)
    check_graph_outputs(wiring, graph_outputs, problems)
    problems.raise_if_any()
    return _plan(graph, drafts, wiring, order, stream_types, side_types, executor_plans, base_path)


def plan_graphs(
    configs: Iterable[GraphConfig | Message | str], *, graph_type: str = "", **more: Any
) -> GraphPlan:
    """Validate the one of several graphs whose `type:` is `graph_type`; it may use the others as nodes.

    The main graph is by default the one without a type. `more` is as for `plan_graph`.
    """
    graphs = [as_graph_config(each) for each in configs]
    for graph in graphs:
        if graph.proto.type == graph_type:
            return plan_graph(graph, subgraphs=graphs, **more)
    types = [graph.proto.type for graph in graphs]
    text = f'there is no graph of type "{graph_type}"{did_you_mean(graph_type, types)}'
    raise GraphError([Problem(NOWHERE, text, Code.NOT_FOUND)])


def _drafts(
    graph: GraphConfig,
    registry: Registry,
    services: Mapping[str, Any],
    base_path: Path,
    problems: Problems,
) -> list[Draft]:
    refuse_unsupported(graph, problems)
    check_graph_options(graph, problems)
    written = apply_option_values(graph, nodes_of(graph), None, registry, problems)
    missing = Problems()
    nodes = expand(
        written, registry, problems, missing=missing, services=services, base_path=base_path
    )
    check_default_executor(graph, problems)
    problems.end_stage()
    problems.extend(missing.in_order())
    handler: options_pb2.InputStreamHandlerConfig | None = None
    if graph.proto.HasField("input_stream_handler"):
        handler = graph.proto.input_stream_handler
    names = numbered(node.raw_name for node, _ in nodes)
    return [
        draft_node(node, name, calculator, handler, problems)
        for (node, calculator), name in zip(nodes, names, strict=True)
    ]


def _graph_ports(graph: GraphConfig, field: str, problems: Problems) -> TagMap:
    texts = list(getattr(graph.proto, field))
    places = [graph.location(field, index) for index in range(len(texts))]
    try:
        return TagMap.create(texts, places)
    except StatusError as error:
        at = next(
            (p for t, p in zip(texts, places, strict=True) if f"'{t}'" in error.message), places[0]
        )
        problems.add(at, f"{field} of the graph: {error.message}", error.code)
        return TagMap([])


def _check_queue_size(graph: GraphConfig, problems: Problems) -> None:
    size = graph.proto.max_queue_size
    if size < -1:
        problems.add(
            graph.location("max_queue_size"),
            f"max_queue_size: found {size}, expected -1 (no limit), 0 ({DEFAULT_QUEUE_SIZE}) or more",
        )


def _plan(
    graph: GraphConfig,
    drafts: Sequence[Draft],
    wiring: Wiring,
    order: Sequence[int],
    stream_types: Mapping[str, Any],
    side_types: Mapping[str, Any],
    executors: Mapping[str, ExecutorPlan],
    base_path: Path,
) -> GraphPlan:
    ids = {place: node_id for node_id, place in enumerate(order)}
    _name_in_order([drafts[place] for place in order])
    nodes = [_node_plan(drafts[place], node_id, base_path) for place, node_id in ids.items()]
    ignored = Problems()
    return GraphPlan(
        nodes=nodes,
        streams={
            name: StreamPlan(name, *_ends(edge, ids), stream_types[name])
            for name, edge in wiring.streams.items()
        },
        side_packets={
            name: SidePacketPlan(
                name, *_ends(edge, ids), _is_required(edge, drafts), side_types[name]
            )
            for name, edge in wiring.side_packets.items()
        },
        input_streams=_graph_ports(graph, "input_stream", ignored).ports,
        output_streams=_graph_ports(graph, "output_stream", ignored).ports,
        max_queue_size=_queue_size(graph, drafts),
        report_deadlock=graph.proto.report_deadlock,
        executors=executors,
        num_threads=executors[""].num_threads,
        dag=nx.relabel_nodes(edges_between_nodes(drafts, wiring), ids),
        config=canonical_config(graph, [drafts[place] for place in order], executors),
        directives=graph.directives,
        warnings=tuple(needless_back_edges(drafts, wiring, order)),
    )


def _name_in_order(drafts: Sequence[Draft]) -> None:
    """Nodes of one name are numbered in the order in which they ended up."""
    for draft, name in zip(drafts, numbered(d.node.raw_name for d in drafts), strict=True):
        draft.name = name
        if draft.contract is not None:
            draft.contract.node_name = name


def _node_plan(draft: Draft, node_id: int, base_path: Path) -> NodePlan:
    assert draft.calculator is not None
    assert draft.contract is not None
    proto = draft.node.proto
    return NodePlan(
        id=node_id,
        name=draft.name,
        calculator=draft.calculator,
        contract=draft.contract,
        options=draft.options,
        inputs=draft.tag_maps["inputs"].ports,
        outputs=draft.tag_maps["outputs"].ports,
        input_side_packets=draft.tag_maps["input_side_packets"].ports,
        output_side_packets=draft.tag_maps["output_side_packets"].ports,
        back_edges=draft.back_edges,
        input_stream_handler=draft.handler,
        handler_options=draft.handler_options,
        executor=proto.executor,
        max_in_flight=proto.max_in_flight or 1,
        source_layer=proto.source_layer,
        location=draft.location,
        base_path=base_path,
    )


def _ends(
    edge: Edge, ids: Mapping[int, int]
) -> tuple[tuple[int, int] | None, tuple[tuple[int, int], ...]]:
    producer = None if edge.producer is None else (ids[edge.producer[0]], edge.producer[1])
    return producer, tuple(sorted((ids[place], port) for place, port in edge.consumers))


def _is_required(edge: Edge, drafts: Sequence[Draft]) -> bool:
    """Rule K2: some reader needs it and no node makes it."""
    if edge.producer is not None:
        return False
    contracts = ((drafts[place].contract, port) for place, port in edge.consumers)
    return any(
        contract is not None and not contract.input_side_packets.connected[port].is_optional
        for contract, port in contracts
    )


def _queue_size(graph: GraphConfig, drafts: Sequence[Draft]) -> int:
    size = graph.proto.max_queue_size or DEFAULT_QUEUE_SIZE
    hints = (draft.node.proto.buffer_size_hint for draft in drafts)
    return size if size == -1 else max(size, *hints, 0)

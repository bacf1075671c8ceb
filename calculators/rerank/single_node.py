"""From OpenVINO Model Server's one rerank node to the five nodes that do the same."""

from __future__ import annotations

from importlib.resources import files

from google.protobuf import text_format
from google.protobuf.message import Message

from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.ovms_pb2 import RerankCalculatorOVOptions
from calcgraph.proto.pool import POOL
from calcgraph.proto.rerank_pb2 import PairTokenizerOptions


def rerank_graph(options: RerankCalculatorOVOptions) -> CalculatorGraphConfig:
    """graphs/rerank.pbtxt with the one node's options spread over the five."""
    text = files("calcgraph.graphs").joinpath("rerank.pbtxt").read_text("utf-8")
    graph = text_format.Parse(text, CalculatorGraphConfig(), descriptor_pool=POOL)
    graph.input_stream[:] = ["REQUEST_PAYLOAD:request"]
    graph.output_stream[:] = ["RESPONSE_PAYLOAD:response"]
    # OVMS hands its node the loaded model under this name; ours are loaded by their own nodes.
    graph.input_side_packet[:] = ["RERANK_NODE_RESOURCES:resources"]
    reading = PairTokenizerOptions(
        models_path=options.models_path, max_allowed_chunks=options.max_allowed_chunks
    )
    if options.HasField("max_position_embeddings"):
        reading.max_length = options.max_position_embeddings
    by_node: dict[str, Message] = {
        "pair_tokenizer": reading,
        "reranker": RerankCalculatorOVOptions(
            models_path=options.models_path,
            target_device=options.target_device,
            plugin_config=options.plugin_config,
        ),
    }
    for node in graph.node:
        if node.name in by_node:
            node.node_options[0].Pack(by_node[node.name])
    return graph

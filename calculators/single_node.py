"""From OpenVINO Model Server's one embeddings node to the six nodes that do the same."""

from __future__ import annotations

from importlib.resources import files

from google.protobuf import text_format
from google.protobuf.message import Message

from calcgraph.proto.calculators_pb2 import NormalizeOptions, PoolingOptions, TokenizerOptions
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.ovms_pb2 import EmbeddingsCalculatorOVOptions
from calcgraph.proto.pool import POOL


def embeddings_graph(options: EmbeddingsCalculatorOVOptions) -> CalculatorGraphConfig:
    """graphs/embeddings.pbtxt with the one node's options spread over the six."""
    text = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")
    graph = text_format.Parse(text, CalculatorGraphConfig(), descriptor_pool=POOL)
    graph.input_stream[:] = ["REQUEST_PAYLOAD:request"]
    graph.output_stream[:] = ["RESPONSE_PAYLOAD:response"]
    # OVMS hands its node the loaded model under this name; ours are loaded by their own nodes.
    graph.input_side_packet[:] = ["EMBEDDINGS_NODE_RESOURCES:resources"]
    by_node: dict[str, Message] = {
        "tokenizer": TokenizerOptions(models_path=options.models_path, truncate=options.truncate),
        "encoder": EmbeddingsCalculatorOVOptions(
            models_path=options.models_path,
            target_device=options.target_device,
            plugin_config=options.plugin_config,
        ),
        # Left out, OVMS pools CLS: so does the node that its files configure.
        "pooling": PoolingOptions(pooling=_pooling(options)),
        "normalize": NormalizeOptions(enabled=options.normalize_embeddings),
    }
    for node in graph.node:
        if node.name in by_node:
            node.node_options[0].Pack(by_node[node.name])
    return graph


def _pooling(options: EmbeddingsCalculatorOVOptions) -> str:
    return EmbeddingsCalculatorOVOptions.Pooling.Name(options.pooling)

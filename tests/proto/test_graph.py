"""Graph files as MediaPipe and OVMS write them, in text and on the wire."""

import pytest
from google.protobuf import text_format

from calcgraph.proto import core_calculators_pb2, handlers_pb2, ovms_pb2
from calcgraph.proto.calculators_pb2 import NormalizeOptions, PoolingOptions, TokenizerOptions
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.pool import POOL

OVMS_EMBEDDINGS = """
    input_stream: "REQUEST_PAYLOAD:input"
    output_stream: "RESPONSE_PAYLOAD:output"
    node {
      name: "EmbeddingsExecutor"
      input_side_packet: "EMBEDDINGS_NODE_RESOURCES:embeddings_servable"
      calculator: "EmbeddingsCalculatorOV"
      input_stream: "REQUEST_PAYLOAD:input"
      output_stream: "RESPONSE_PAYLOAD:output"
      node_options: {
        [type.googleapis.com / mediapipe.EmbeddingsCalculatorOVOptions]: {
          models_path: "./",
          normalize_embeddings: true,
          pooling: MEAN,
          target_device: "CPU"
        }
      }
    }
"""

LOOP = """
    # OVMS_GRAPH_QUEUE_MAX_SIZE: AUTO
    node {
      calculator: "GateCalculator"
      input_stream: "tick"
      input_stream: "ALLOW:open"
      output_stream: "out"
      input_stream_info: { tag_index: 'ALLOW:0' back_edge: true }
      options { [mediapipe.GateCalculatorOptions.ext] { allow: true } }
      input_stream_handler {
        input_stream_handler: "SyncSetInputStreamHandler"
        options {
          [mediapipe.SyncSetInputStreamHandlerOptions.ext] { sync_set { tag_index: "ALLOW:0" } }
        }
      }
    }
    executor {
      name: "wide"
      type: "ThreadPoolExecutor"
      options { [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 4 } }
    }
"""

SWITCH = """
    node {
      calculator: "SwitchContainer"
      options {
        [mediapipe.SwitchContainerOptions.ext] {
          select: 1
          contained_node: { calculator: "PassThroughCalculator" }
          contained_node: {
            calculator: "ConstantSidePacketCalculator"
            options {
              [mediapipe.ConstantSidePacketCalculatorOptions.ext] { packet { int_value: 7 } }
            }
          }
        }
      }
    }
"""

graphs = pytest.mark.parametrize(
    "text", [OVMS_EMBEDDINGS, LOOP, SWITCH], ids=["ovms", "loop", "switch"]
)


def parse(text: str) -> CalculatorGraphConfig:
    return text_format.Parse(text, CalculatorGraphConfig(), descriptor_pool=POOL)


@graphs
def test_a_graph_survives_text(text):
    graph = parse(text)
    assert parse(text_format.MessageToString(graph, descriptor_pool=POOL)) == graph


@graphs
def test_a_graph_survives_the_wire(text):
    graph = parse(text)
    assert CalculatorGraphConfig.FromString(graph.SerializeToString()) == graph


def test_options_in_an_any_are_read_by_their_type():
    [any_options] = parse(OVMS_EMBEDDINGS).node[0].node_options
    options = ovms_pb2.EmbeddingsCalculatorOVOptions()
    assert any_options.Unpack(options)
    assert options.models_path == "./"
    assert options.pooling == ovms_pb2.EmbeddingsCalculatorOVOptions.MEAN


def test_options_in_an_any_are_not_read_as_another_type():
    [any_options] = parse(OVMS_EMBEDDINGS).node[0].node_options
    assert not any_options.Unpack(ovms_pb2.RerankCalculatorOVOptions())


def test_options_in_extensions_are_read_at_every_place():
    graph = parse(LOOP)
    [node], [executor] = graph.node, graph.executor
    gate = core_calculators_pb2.GateCalculatorOptions.ext
    sync_set = handlers_pb2.SyncSetInputStreamHandlerOptions.ext
    pool = handlers_pb2.ThreadPoolExecutorOptions.ext
    assert node.options.Extensions[gate].allow
    assert node.input_stream_handler.options.Extensions[sync_set].sync_set[0].tag_index == [
        "ALLOW:0"
    ]
    assert executor.options.Extensions[pool].num_threads == 4


def test_options_inside_options_are_read():
    container = (
        parse(SWITCH).node[0].options.Extensions[core_calculators_pb2.SwitchContainerOptions.ext]
    )
    constant = container.contained_node[1].options.Extensions[
        core_calculators_pb2.ConstantSidePacketCalculatorOptions.ext
    ]
    assert constant.packet[0].int_value == 7


def test_a_misspelt_field_is_refused():
    with pytest.raises(text_format.ParseError, match='no field named "input_streem"'):
        parse('input_streem: "a"')


def test_a_default_is_told_from_a_choice():
    chosen = ovms_pb2.EmbeddingsCalculatorOVOptions(models_path="./", truncate=False)
    assert chosen.HasField("truncate")
    assert not chosen.HasField("normalize_embeddings")


def test_embeddings_options_without_a_path_cannot_be_written():
    options = ovms_pb2.EmbeddingsCalculatorOVOptions(target_device="CPU")
    assert options.FindInitializationErrors() == ["models_path"]


def test_pooling_has_no_silent_default():
    assert not PoolingOptions().HasField("pooling")


def test_pooling_modes_are_those_of_ovms():
    ours, theirs = PoolingOptions.Pooling, ovms_pb2.EmbeddingsCalculatorOVOptions.Pooling
    assert ours.items() == theirs.items()


def test_our_own_options_have_these_defaults():
    assert TokenizerOptions().models_path == "./"
    assert TokenizerOptions().truncate is False
    assert not TokenizerOptions().HasField("max_length")
    assert NormalizeOptions().enabled is True

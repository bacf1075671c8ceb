"""Field numbers, as MediaPipe 0.10.21, OVMS and Triton have them: the wire depends on them."""

import pytest

from calcgraph.proto import (
    core_calculators_pb2,
    graph_pb2,
    handlers_pb2,
    inference_pb2,
    ovms_pb2,
    profile_pb2,
)
from calcgraph.proto.pool import POOL

FIELDS = {
    "mediapipe.CalculatorGraphConfig": {
        "node": 1,
        "packet_factory": 6,
        "packet_generator": 7,
        "num_threads": 8,
        "status_handler": 9,
        "input_stream": 10,
        "max_queue_size": 11,
        "input_stream_handler": 12,
        "output_stream_handler": 13,
        "executor": 14,
        "output_stream": 15,
        "input_side_packet": 16,
        "output_side_packet": 17,
        "profiler_config": 18,
        "package": 19,
        "type": 20,
        "report_deadlock": 21,
        "runtime_info": 22,
        "options": 1001,
        "graph_options": 1002,
    },
    "mediapipe.CalculatorGraphConfig.Node": {
        "name": 1,
        "calculator": 2,
        "input_stream": 3,
        "output_stream": 4,
        "input_side_packet": 5,
        "output_side_packet": 6,
        "options": 7,
        "node_options": 8,
        "source_layer": 9,
        "buffer_size_hint": 10,
        "input_stream_handler": 11,
        "output_stream_handler": 12,
        "input_stream_info": 13,
        "executor": 14,
        "profiler_config": 15,
        "max_in_flight": 16,
        "option_value": 17,
        "external_input": 1005,
    },
    "mediapipe.InputStreamInfo": {"tag_index": 1, "back_edge": 2},
    "mediapipe.ExecutorConfig": {"name": 1, "type": 2, "options": 3},
    "mediapipe.InputStreamHandlerConfig": {"input_stream_handler": 1, "options": 3},
    "mediapipe.GraphProfile": {"graph_trace": 1, "calculator_profiles": 2, "config": 3},
    "mediapipe.GraphTrace": {
        "base_time": 1,
        "base_timestamp": 2,
        "calculator_name": 3,
        "stream_name": 4,
        "calculator_trace": 5,
    },
    "mediapipe.EmbeddingsCalculatorOVOptions": {
        "models_path": 1,
        "normalize_embeddings": 2,
        "target_device": 3,
        "plugin_config": 4,
        "pooling": 5,
        "truncate": 6,
    },
    "mediapipe.RerankCalculatorOVOptions": {
        "models_path": 1,
        "max_allowed_chunks": 2,
        "max_position_embeddings": 3,
        "target_device": 4,
        "plugin_config": 5,
    },
    "mediapipe.SwitchContainerOptions": {
        "contained_node": 2,
        "select": 3,
        "enable": 4,
        "synchronize_io": 5,
        "async_selection": 6,
        "tick_input_stream": 7,
    },
    "inference.InferParameter": {
        "bool_param": 1,
        "int64_param": 2,
        "string_param": 3,
        "double_param": 4,
        "uint64_param": 5,
    },
    "inference.ModelMetadataResponse": {
        "name": 1,
        "versions": 2,
        "platform": 3,
        "inputs": 4,
        "outputs": 5,
        "properties": 6,
    },
    "inference.ModelInferRequest": {
        "model_name": 1,
        "model_version": 2,
        "id": 3,
        "parameters": 4,
        "inputs": 5,
        "outputs": 6,
        "raw_input_contents": 7,
    },
    "inference.ModelInferRequest.InferInputTensor": {
        "name": 1,
        "datatype": 2,
        "shape": 3,
        "parameters": 4,
        "contents": 5,
    },
    "inference.ModelInferResponse": {
        "model_name": 1,
        "model_version": 2,
        "id": 3,
        "parameters": 4,
        "outputs": 5,
        "raw_output_contents": 6,
    },
    "inference.InferTensorContents": {
        "bool_contents": 1,
        "int_contents": 2,
        "int64_contents": 3,
        "uint_contents": 4,
        "uint64_contents": 5,
        "fp32_contents": 6,
        "fp64_contents": 7,
        "bytes_contents": 8,
    },
    "inference.RepositoryModelLoadRequest": {
        "repository_name": 1,
        "model_name": 2,
        "parameters": 3,
    },
}

EXTENSIONS = {
    handlers_pb2.DefaultInputStreamHandlerOptions: 164312821,
    handlers_pb2.SyncSetInputStreamHandlerOptions: 155816273,
    handlers_pb2.FixedSizeInputStreamHandlerOptions: 125744319,
    handlers_pb2.TimestampAlignInputStreamHandlerOptions: 190104979,
    handlers_pb2.ThreadPoolExecutorOptions: 157116819,
    core_calculators_pb2.ConstantSidePacketCalculatorOptions: 291214597,
    core_calculators_pb2.FlowLimiterCalculatorOptions: 326963320,
    core_calculators_pb2.GateCalculatorOptions: 261754847,
    core_calculators_pb2.PacketClonerCalculatorOptions: 258872085,
    core_calculators_pb2.PacketResamplerCalculatorOptions: 95743844,
    core_calculators_pb2.PacketThinnerCalculatorOptions: 288533508,
    core_calculators_pb2.SequenceShiftCalculatorOptions: 107633927,
    core_calculators_pb2.SplitVectorCalculatorOptions: 259438222,
    core_calculators_pb2.SwitchContainerOptions: 345967970,
    ovms_pb2.EmbeddingsCalculatorOVOptions: 1134738,
    ovms_pb2.RerankCalculatorOVOptions: 113473746,
    ovms_pb2.PythonExecutorCalculatorOptions: 113473748,
    ovms_pb2.OpenVINOModelServerSessionCalculatorOptions: 113473744,
    ovms_pb2.OpenVINOInferenceCalculatorOptions: 113473743,
    ovms_pb2.PyTensorOvTensorConverterCalculatorOptions: 113473749,
}

RPCS = {
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
    "ModelStreamInfer",
    "RepositoryIndex",
    "RepositoryModelLoad",
    "RepositoryModelUnload",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_message_has_the_field_numbers_of_its_origin(name):
    fields = POOL.FindMessageTypeByName(name).fields
    assert {field.name: field.number for field in fields} == FIELDS[name]


@pytest.mark.parametrize("message", EXTENSIONS, ids=lambda message: message.__name__)
def test_an_option_message_has_the_extension_number_of_its_origin(message):
    assert message.ext.number == EXTENSIONS[message]


def test_the_embeddings_options_have_the_defaults_of_ovms():
    options = ovms_pb2.EmbeddingsCalculatorOVOptions()
    assert options.normalize_embeddings is True
    assert options.target_device == "CPU"
    assert options.plugin_config == ""
    assert options.pooling == ovms_pb2.EmbeddingsCalculatorOVOptions.CLS
    assert options.truncate is False


def test_the_pooling_modes_have_the_numbers_of_ovms():
    modes = ovms_pb2.EmbeddingsCalculatorOVOptions.Pooling
    assert dict(modes.items()) == {"CLS": 0, "LAST": 1, "MEAN": 2}


def test_trace_events_have_the_numbers_of_mediapipe():
    events = profile_pb2.GraphTrace.EventType
    chosen = ("OPEN", "PROCESS", "CLOSE", "THROTTLED", "PACKET_QUEUED", "TPU_TASK_INVOKE_ASYNC")
    assert [events.Value(name) for name in chosen] == [1, 2, 3, 7, 15, 20]


def test_the_inference_service_has_every_method():
    """KServe N2."""
    service = inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    assert service.full_name == "inference.GRPCInferenceService"
    assert {method.name for method in service.methods} == RPCS


def test_only_the_stream_method_streams():
    """KServe N2."""
    service = inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    streaming = [m.name for m in service.methods if m.client_streaming or m.server_streaming]
    assert streaming == ["ModelStreamInfer"]


def test_a_message_of_the_graph_file_belongs_to_mediapipe():
    assert graph_pb2.DESCRIPTOR.package == "mediapipe"

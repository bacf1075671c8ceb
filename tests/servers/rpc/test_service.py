"""The Open Inference Protocol over gRPC, called with our own stub."""

import logging
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.runtime.tensors import DATATYPES

Change = Callable[[pb.ModelInferRequest], Any]


def request(*changes: Change) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name="echo", id="7")
    message.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    message.raw_input_contents.append(np.array([0.5, 2], "<f4").tobytes())
    for change in changes:
        change(message)
    return message


def typed(datatype: str, shape: list[int], **contents: list[Any]) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name="echo")
    tensor = message.inputs.add(name="x", datatype=datatype, shape=shape)
    tensor.contents.MergeFrom(pb.InferTensorContents(**contents))
    return message


def refused(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code(), error.value.details()


def test_the_server_lives_is_not_ready_and_says_what_it_is(stub: Any) -> None:
    """KServe G1, G2."""
    assert stub.ServerLive(pb.ServerLiveRequest()).live
    assert not stub.ServerReady(pb.ServerReadyRequest()).ready  # a model is still unready
    assert stub.ServerMetadata(pb.ServerMetadataRequest()).name == "calcgraph"


def test_a_model_is_ready_by_its_name(stub: Any) -> None:
    """KServe G1."""
    assert stub.ModelReady(pb.ModelReadyRequest(name="ns/echo")).ready
    assert stub.ModelReady(pb.ModelReadyRequest(name="ns/echo", version="1")).ready
    assert not stub.ModelReady(pb.ModelReadyRequest(name="unready")).ready


def test_metadata_tell_types_and_shapes(stub: Any) -> None:
    """KServe G3."""
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="echo"))
    assert (metadata.name, list(metadata.versions)) == ("echo", ["1"])
    assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [
        ("x", "FP32", [-1, 2]),
        ("y", "BYTES", [-1]),
    ]


def test_an_infer_call_is_answered_raw_with_its_id_name_and_version(stub: Any) -> None:
    """KServe Z1, G4, G8."""
    answer = stub.ModelInfer(request())
    assert (answer.model_name, answer.model_version, answer.id) == ("echo", "1", "7")
    assert [(o.name, o.datatype, list(o.shape)) for o in answer.outputs] == [("x", "FP32", [1, 2])]
    assert not answer.outputs[0].HasField("contents")
    assert list(answer.raw_output_contents) == list(request().raw_input_contents)


@pytest.mark.parametrize("name", DATATYPES)
def test_every_datatype_travels_raw(stub: Any, name: str) -> None:
    """KServe D1, G4, G10."""
    datatype = DATATYPES[name]
    raw = np.arange(2).astype(datatype.dtype).tobytes() if datatype.size else b"\0\0\0\0\1\0\0\0w"
    message = pb.ModelInferRequest(model_name="echo", raw_input_contents=[raw])
    message.inputs.add(name="x", datatype=name, shape=[2])
    answer = stub.ModelInfer(message)
    assert answer.outputs[0].datatype == name
    assert list(answer.raw_output_contents) == [raw]


@pytest.mark.parametrize(
    ("datatype", "field", "values", "raw"),
    [
        ("BOOL", "bool_contents", [True, False], b"\1\0"),
        ("UINT8", "uint_contents", [255, 0], b"\xff\0"),
        ("INT16", "int_contents", [-1, 0], b"\xff\xff\0\0"),
        ("INT32", "int_contents", [-1, 0], b"\xff\xff\xff\xff\0\0\0\0"),
        ("INT64", "int64_contents", [1, 0], b"\1" + b"\0" * 15),
        ("UINT64", "uint64_contents", [2**64 - 1, 0], b"\xff" * 8 + b"\0" * 8),
        ("FP32", "fp32_contents", [1.0, 0], b"\0\0\x80\x3f\0\0\0\0"),
        ("FP64", "fp64_contents", [1.0, 0], b"\0\0\0\0\0\0\xf0\x3f" + b"\0" * 8),
        ("BYTES", "bytes_contents", [b"ab", b""], b"\2\0\0\0ab\0\0\0\0"),
    ],
)
def test_typed_contents_are_read_from_the_field_of_their_datatype(
    stub: Any, datatype: str, field: str, values: list[Any], raw: bytes
) -> None:
    """KServe G5."""
    answer = stub.ModelInfer(typed(datatype, [2], **{field: values}))
    assert list(answer.raw_output_contents) == [raw]


def test_an_empty_tensor_needs_neither_raw_nor_contents(stub: Any) -> None:
    """KServe J4."""
    answer = stub.ModelInfer(typed("FP32", [0, 2]))
    assert list(answer.outputs[0].shape) == [0, 2]
    assert list(answer.raw_output_contents) == [b""]


def test_parameters_of_every_type_come_back(stub: Any) -> None:
    """KServe N1."""
    message = request()
    message.parameters["b"].bool_param = True
    message.parameters["i"].int64_param = -(2**40)
    message.parameters["u"].uint64_param = 5
    message.parameters["d"].double_param = 0.5
    message.parameters["s"].string_param = "t"
    message.parameters["none"].SetInParent()
    answer = stub.ModelInfer(message).parameters
    assert answer["b"].bool_param
    assert (answer["i"].int64_param, answer["u"].int64_param) == (-(2**40), 5)
    assert (answer["d"].double_param, answer["s"].string_param) == (0.5, "t")
    assert "none" not in answer


def test_only_the_outputs_that_are_asked_for_come_in_their_order(stub: Any) -> None:
    """KServe G9."""
    message = request()
    message.inputs.add(name="y", datatype="BYTES", shape=[0])
    message.raw_input_contents.append(b"")
    message.outputs.add(name="y")
    message.outputs.add(name="x")
    assert [output.name for output in stub.ModelInfer(message).outputs] == ["y", "x"]


def set_shape(*shape: int) -> Change:
    def change(message: pb.ModelInferRequest) -> None:
        message.inputs[0].shape[:] = shape

    return change


@pytest.mark.parametrize(
    ("message", "details"),
    [
        (pb.ModelInferRequest(model_name="echo"), "The request has no inputs."),
        (request(lambda m: m.inputs.append(m.inputs[0])), "has 2 inputs and 1 raw_input_contents"),
        (request(lambda m: m.raw_input_contents.append(b"")), "1 inputs and 2 raw_input_contents"),
        (
            request(
                lambda m: m.inputs.append(m.inputs[0]),
                lambda m: m.raw_input_contents.append(m.raw_input_contents[0]),
            ),
            "The input 'x' stands in the request twice.",
        ),
        (request(set_shape(3)), "has 8 bytes where its datatype FP32 and its shape [3] ask for 12"),
        (request(set_shape(1)), "ask for 4"),
        (request(set_shape(-1, 2)), "every dimension is an integer >= 0"),
        (request(set_shape(2**62, 8)), "ask for 147573952589676412928"),
        (request(set_shape(0, 2**62, 2**62)), "ask for 0"),
        (request(lambda m: setattr(m.inputs[0], "datatype", "FLOAT32")), "unknown datatype"),
        (request(lambda m: setattr(m.inputs[0], "datatype", "")), "unknown datatype ''"),
        (
            request(lambda m: m.inputs[0].contents.fp32_contents.append(1)),
            "has both contents and raw_input_contents",
        ),
        (typed("FP32", [1, 2]), "has 0 values where its shape [1, 2] asks for 2"),
        (typed("FP32", [2], fp32_contents=[1]), "has 1 values"),
        (typed("INT64", [1], int_contents=[1]), "INT64 has them in int64_contents"),
        (
            typed("FP32", [1], fp32_contents=[1], fp64_contents=[1]),
            "in fp32_contents and fp64_contents",
        ),
        (typed("FP16", [1], fp32_contents=[1]), "which only raw_input_contents carry"),
        (typed("INT8", [1], int_contents=[300]), "INT8 cannot hold"),
        (request(lambda m: m.outputs.add(name="z")), "has no output 'z'; it has x, y."),
        (request(lambda m: setattr(m, "model_version", "abc")), "'abc' is not a number"),
    ],
)
def test_a_request_that_does_not_fit_together_is_an_invalid_argument(
    stub: Any, message: pb.ModelInferRequest, details: str
) -> None:
    """KServe D1, M2, M4, M5, M6, M7, M8, M10, M11, M12, M13, G3, G4, G5, G6, G9."""
    code, told = refused(lambda: stub.ModelInfer(message))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details in told


def test_bytes_that_end_within_an_element_are_an_invalid_argument(stub: Any) -> None:
    """KServe B9, X2."""
    message = pb.ModelInferRequest(model_name="echo", raw_input_contents=[b"\x09\0\0\0ab"])
    message.inputs.add(name="x", datatype="BYTES", shape=[1])
    code, told = refused(lambda: stub.ModelInfer(message))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "ends within its element 0" in told


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.ModelReady(pb.ModelReadyRequest(name="gone")),
        lambda stub: stub.ModelMetadata(pb.ModelMetadataRequest(name="gone")),
        lambda stub: stub.ModelInfer(request(lambda m: setattr(m, "model_name", "gone"))),
        lambda stub: stub.ModelInfer(request(lambda m: setattr(m, "model_version", "2"))),
    ],
    ids=["ready", "metadata", "infer", "version"],
)
def test_an_unknown_model_or_version_is_not_found(stub: Any, call: Callable[[Any], Any]) -> None:
    """KServe G1, G3, G11."""
    assert refused(lambda: call(stub))[0] == grpc.StatusCode.NOT_FOUND


def test_a_name_of_a_megabyte_is_not_sent_back(stub: Any) -> None:
    message = request(lambda m: setattr(m, "model_name", "\N{GRINNING FACE}" * (1 << 18)))
    code, told = refused(lambda: stub.ModelInfer(message))
    assert code == grpc.StatusCode.NOT_FOUND
    assert len(told) < 1200


def test_a_model_that_loads_is_unavailable(stub: Any) -> None:
    """KServe G11."""
    message = request(lambda m: setattr(m, "model_name", "unready"))
    assert refused(lambda: stub.ModelInfer(message))[0] == grpc.StatusCode.UNAVAILABLE


def test_what_breaks_in_a_calculator_is_internal_and_not_told(
    stub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """KServe G11, G12, X5."""
    message = request()
    message.parameters["fail"].bool_param = True
    with caplog.at_level(logging.ERROR, "calcgraph"):
        code, told = refused(
            lambda: stub.ModelInfer(message, metadata=[("x-request-id", "broken-2")])
        )
    assert code == grpc.StatusCode.INTERNAL
    assert "broken-2" in told
    assert "secret" not in told
    assert "request broken-2 failed" in caplog.text
    assert "ValueError: a secret of the calculator" in caplog.text
    assert stub.ModelInfer(request()).id == "7"


def test_a_request_of_many_megabytes_is_read_and_answered(served: Any) -> None:
    """KServe G13."""
    size = 6 << 20  # grpc's own limit is 4 MiB
    message = pb.ModelInferRequest(model_name="echo", raw_input_contents=[b"\1" * size])
    message.inputs.add(name="x", datatype="UINT8", shape=[size])
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(served.grpc_address, options) as channel:
        answer = GRPCInferenceServiceStub(channel).ModelInfer(message)
    assert len(answer.raw_output_contents[0]) == size


@pytest.mark.parametrize("leave", ["cancel", "deadline"])
def test_a_client_that_leaves_cancels_its_request(
    stub: Any, nodes: dict[str, Any], leave: str
) -> None:
    """KServe G11, G17, X3, X5."""
    message = request(lambda m: setattr(m, "model_name", "wait"))
    call = stub.ModelInfer.future(message, timeout=0.3 if leave == "deadline" else None)
    assert nodes["WaitForever"].asked.acquire(timeout=10)
    if leave == "cancel":
        call.cancel()
    assert nodes["WaitForever"].cancelled.acquire(timeout=10)
    assert stub.ModelInfer(request()).id == "7"


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_request_is_answered(stub: Any, compression: Any) -> None:
    """KServe G14."""
    assert stub.ModelInfer(request(), compression=compression).id == "7"


def test_answers_are_compressed_where_the_server_is_told_to(serve: Any, tmp_path: Any) -> None:
    """KServe G14."""
    size = 5 << 20  # zeros: beyond a client's 4 MiB only if they are not packed
    message = pb.ModelInferRequest(model_name="echo", raw_input_contents=[bytes(size)])
    message.inputs.add(name="x", datatype="UINT8", shape=[size])
    gzip = {"grpc.default_compression_algorithm": 2}
    with serve(tmp_path, channel_options=gzip) as served:
        options = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(served.grpc_address, options) as channel:
            answer = GRPCInferenceServiceStub(channel).ModelInfer(message)
    assert len(answer.raw_output_contents[0]) == size


def test_a_client_that_pings_often_is_not_sent_away(served: Any) -> None:
    """KServe G15."""
    options = [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with grpc.insecure_channel(served.grpc_address, options) as channel:
        stub = GRPCInferenceServiceStub(channel)
        for _ in range(3):
            message = request(lambda m: setattr(m, "model_name", "wait"))
            with pytest.raises(grpc.RpcError) as error:
                stub.ModelInfer(message, timeout=1.2)
            assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert stub.ModelInfer(request()).id == "7"


def test_one_connection_takes_many_calls_at_once(stub: Any, nodes: dict[str, Any]) -> None:
    """KServe G20."""
    message = request(lambda m: setattr(m, "model_name", "wait"))
    waiting = [stub.ModelInfer.future(message) for _ in range(200)]
    for _ in waiting:
        assert nodes["WaitForever"].asked.acquire(timeout=10)
    assert stub.ModelInfer(request()).id == "7"
    for call in waiting:
        call.cancel()
    for _ in waiting:
        assert nodes["WaitForever"].cancelled.acquire(timeout=10)


def test_unknown_parameters_of_an_input_are_ignored(stub: Any) -> None:
    """KServe G7."""
    message = request()
    message.inputs[0].parameters["binary_data_size"].int64_param = 8
    assert stub.ModelInfer(message).id == "7"


def tensor(model: str, datatype: str, shape: list[int], raw: bytes) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model, raw_input_contents=[raw])
    message.inputs.add(name="in", datatype=datatype, shape=shape)
    return message


def test_a_graph_of_several_streams_is_asked_by_their_names(stub: Any) -> None:
    """KServe U1, U4, G8."""
    message = pb.ModelInferRequest(model_name="pair", id="p")
    for name, value in (("b", 3), ("a", 2)):
        message.inputs.add(name=name, datatype="FP32", shape=[1])
        message.raw_input_contents.append(np.array([value], "<f4").tobytes())
    answer = stub.ModelInfer(message)
    assert [output.name for output in answer.outputs] == ["sum", "product"]
    assert [np.frombuffer(raw, "<f4")[0] for raw in answer.raw_output_contents] == [5, 6]
    assert answer.parameters["OVMS_MP_TIMESTAMP"].int64_param > 0
    assert (answer.id, answer.model_version) == ("p", "1")


def test_metadata_of_a_graph_of_tensors_tell_its_streams(stub: Any) -> None:
    """KServe G3, T10."""
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="pair"))
    found = [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs]
    assert found == [("a", "FP32", [-1]), ("b", "FP32", [-1])]
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="sum"))
    assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [("in", "INVALID", [])]


def test_bytes_of_python_nodes_are_handed_over_as_they_are(stub: Any) -> None:
    """KServe T7."""
    for datatype, raw in (("BYTES", b"no lengths here"), ("my_own", b"\0\1"), ("FP32", b"\0\1")):
        answer = stub.ModelInfer(tensor("python", datatype, [15], raw))
        (output,) = answer.outputs
        assert (output.name, output.datatype, list(output.shape)) == ("out", datatype, [15])
        assert list(answer.raw_output_contents) == [raw]


@pytest.mark.parametrize(
    ("message", "code", "told"),
    [
        (tensor("tflite", "FP32", [1], bytes(4)), "UNIMPLEMENTED", "TFLITE_TENSOR"),
        (
            tensor("mediapipe", "INT64", [1], bytes(8)),
            "INVALID_ARGUMENT",
            "its stream carries FP32",
        ),
        (tensor("mediapipe", "FP32", [0], b""), "INVALID_ARGUMENT", "every dimension must be > 0"),
        (tensor("image", "FP32", [2, 2, 3], bytes(48)), "INVALID_ARGUMENT", "has 3 channels"),
        (tensor("sum", "BYTES", [1], bytes(4)), "INVALID_ARGUMENT", "its stream carries numbers"),
        (tensor("json", "FP32", [1], bytes(4)), "FAILED_PRECONDITION", "does not speak the Open"),
        (
            tensor("needy", "FP32", [1], bytes(4)),
            "FAILED_PRECONDITION",
            'Side packet "start" is re',
        ),
        (tensor("sieve", "FP32", [1], bytes(4)), "INVALID_ARGUMENT", "gave nothing on its output"),
        (tensor("sum", "FP32", [1], np.float32(14).tobytes()), "INVALID_ARGUMENT", "14 is refused"),
    ],
)
def test_what_a_graph_cannot_take_is_told_with_its_code(
    stub: Any, message: pb.ModelInferRequest, code: str, told: str
) -> None:
    """KServe G11, G12, M9, T3, T4, T6, T8, U1, U5, U6."""
    found, details = refused(lambda: stub.ModelInfer(message))
    assert (found.name, told in details) == (code, True), details


def test_an_image_comes_back(stub: Any) -> None:
    """KServe T8."""
    raw = bytes(range(24))
    answer = stub.ModelInfer(tensor("image", "UINT8", [2, 4, 3], raw))
    assert list(answer.outputs[0].shape) == [2, 4, 3]
    assert list(answer.raw_output_contents) == [raw]


def test_a_call_that_there_is_not_is_unimplemented(served: Any) -> None:
    """KServe G11, P5."""
    with grpc.insecure_channel(served.grpc_address) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelStatistics")
        assert refused(lambda: call(b""))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_metadata_reach_the_graph_in_lower_case(stub: Any) -> None:
    """KServe G16."""
    message = request()
    message.parameters["tell"].string_param = "x-client-id"
    answer = stub.ModelInfer(message, metadata=[("x-client-id", "me")])
    assert answer.parameters["told"].string_param == "me"
    message.parameters["tell"].string_param = "user-agent"
    assert "grpc-python/" in stub.ModelInfer(message).parameters["told"].string_param


@pytest.mark.parametrize("method", ["ModelInfer", "ModelReady", "ModelMetadata", "RepositoryIndex"])
def test_bytes_that_are_no_message_are_an_invalid_argument(
    served: Any, stub: Any, method: str
) -> None:
    """KServe X1, X5."""
    with grpc.insecure_channel(served.grpc_address) as channel:
        call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
        code, told = refused(lambda: call(request().SerializeToString()[:-5] + b"\xff"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert told == f"The request is no {method}Request: its bytes cannot be read."
    assert stub.ModelInfer(request()).id == "7"

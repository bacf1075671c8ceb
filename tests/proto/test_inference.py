"""The inference service over a real channel."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from calcgraph.proto import inference_pb2, inference_pb2_grpc


class Echo(inference_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers a request with its own tensors."""

    def ModelInfer(self, request, context):
        return inference_pb2.ModelInferResponse(
            model_name=request.model_name,
            id=request.id,
            parameters=request.parameters,
            outputs=[
                inference_pb2.ModelInferResponse.InferOutputTensor(
                    name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
                )
                for tensor in request.inputs
            ],
            raw_output_contents=request.raw_input_contents,
        )

    def ModelStreamInfer(self, request_iterator, context):
        for request in request_iterator:
            yield inference_pb2.ModelStreamInferResponse(
                infer_response=self.ModelInfer(request, context)
            )


@pytest.fixture(scope="module")
def stub():
    server = grpc.server(ThreadPoolExecutor(2))
    inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield inference_pb2_grpc.GRPCInferenceServiceStub(channel)
    server.stop(None).wait()


def infer_request(request_id: str) -> inference_pb2.ModelInferRequest:
    request = inference_pb2.ModelInferRequest(model_name="echo", id=request_id)
    request.inputs.add(name="x", datatype="BYTES", shape=[1])
    request.raw_input_contents.append(b"\x01\x00\x00\x00a")
    request.parameters["priority"].uint64_param = 2**63
    return request


def test_a_request_is_answered(stub):
    answer = stub.ModelInfer(infer_request("7"), timeout=10)
    assert (answer.model_name, answer.id) == ("echo", "7")
    assert answer.outputs[0].shape == [1]
    assert answer.raw_output_contents == [b"\x01\x00\x00\x00a"]
    assert answer.parameters["priority"].uint64_param == 2**63


def test_a_stream_is_answered_in_order(stub):
    requests = [infer_request(str(number)) for number in range(3)]
    answers = list(stub.ModelStreamInfer(iter(requests), timeout=10))
    assert [answer.infer_response.id for answer in answers] == ["0", "1", "2"]


def test_a_method_nobody_wrote_is_unimplemented(stub):
    with pytest.raises(grpc.RpcError) as error:
        stub.ServerLive(inference_pb2.ServerLiveRequest(), timeout=10)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "choice, value",
    [
        ("bool_param", True),
        ("int64_param", -1),
        ("string_param", "a"),
        ("double_param", 0.5),
        ("uint64_param", 2**63),
    ],
)
def test_a_parameter_keeps_its_kind_on_the_wire(choice, value):
    """KServe N1."""
    written = inference_pb2.InferParameter(**{choice: value})
    read = inference_pb2.InferParameter.FromString(written.SerializeToString())
    assert read.WhichOneof("parameter_choice") == choice
    assert getattr(read, choice) == value


def test_a_kserve_clients_model_name_arrives_as_repository_name():
    """KServe N3."""
    theirs = b"\x0a\x05model"  # RepositoryModelLoadRequest{model_name=1}
    request = inference_pb2.RepositoryModelLoadRequest.FromString(theirs)
    assert (request.model_name, request.repository_name) == ("", "model")

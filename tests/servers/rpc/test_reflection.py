"""Server reflection, as grpcurl asks it."""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from calcgraph.proto import core_calculators_pb2  # noqa: F401  (its messages are in the pool)
from calcgraph.proto import reflection_pb2 as pb
from calcgraph.servers.rpc.reflection import NAMES


@pytest.fixture(params=NAMES)
def ask(request: pytest.FixtureRequest, served: Any) -> Any:
    with grpc.insecure_channel(served.grpc_address) as channel:
        call = channel.stream_stream(
            f"/{request.param}/ServerReflectionInfo",
            request_serializer=pb.ServerReflectionRequest.SerializeToString,
            response_deserializer=pb.ServerReflectionResponse.FromString,
        )
        yield lambda **asked: next(call(iter([pb.ServerReflectionRequest(**asked)])))


def test_the_services_are_listed(ask: Any) -> None:
    """KServe G19."""
    services = [each.name for each in ask(list_services="").list_services_response.service]
    assert services == ["grpc.health.v1.Health", *NAMES, "inference.GRPCInferenceService"]


@pytest.mark.parametrize(
    ("asked", "file"),
    [
        ({"file_containing_symbol": "inference.GRPCInferenceService"}, "inference.proto"),
        ({"file_containing_symbol": "inference.ModelInferRequest"}, "inference.proto"),
        ({"file_containing_symbol": "grpc.health.v1.Health"}, "health.proto"),
        ({"file_by_filename": "calcgraph/proto/graph.proto"}, "graph.proto"),
    ],
)
def test_a_file_comes_with_all_that_it_imports(ask: Any, asked: Any, file: str) -> None:
    """KServe G19."""
    answer = ask(**asked)
    assert answer.original_request == pb.ServerReflectionRequest(**asked)
    serialized = answer.file_descriptor_response.file_descriptor_proto
    files = {f.name: f for f in map(FileDescriptorProto.FromString, serialized)}
    assert f"calcgraph/proto/{file}" in files
    assert all(name in files for each in files.values() for name in each.dependency)


def test_extensions_are_found_by_number(ask: Any) -> None:
    """KServe G19."""
    numbers = ask(all_extension_numbers_of_type="mediapipe.CalculatorOptions")
    found = numbers.all_extension_numbers_response.extension_number
    asked = pb.ExtensionRequest(
        containing_type="mediapipe.CalculatorOptions", extension_number=found[0]
    )
    assert ask(file_containing_extension=asked).file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize(
    "asked", [{"file_containing_symbol": "no.Such"}, {"file_by_filename": "no.proto"}]
)
def test_what_there_is_not_is_not_found(ask: Any, asked: Any) -> None:
    """KServe G19."""
    assert ask(**asked).error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_a_request_for_nothing_is_an_error(ask: Any) -> None:
    assert ask().error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]

"""KServe's repository extension over gRPC, as Triton's and as KServe's clients ask it."""

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub


@pytest.fixture(scope="module")
def manager(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with (
        serve(tmp_path_factory.mktemp("managed"), model_control=True) as served,
        grpc.insecure_channel(served.grpc_address) as channel,
    ):
        yield GRPCInferenceServiceStub(channel)


def states(manager: Any, **asked: Any) -> dict[str, str]:
    answer = manager.RepositoryIndex(pb.RepositoryIndexRequest(**asked))
    return {model.name: model.state for model in answer.models}


@pytest.mark.parametrize("field", ["model_name", "repository_name"])
def test_a_model_is_unloaded_and_loaded_again(manager: Any, field: str) -> None:
    """KServe N3, P1, P3."""
    unloaded = manager.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(**{field: "echo"}))
    assert (unloaded.model_name, unloaded.isUnloaded) == ("echo", True)
    assert states(manager)["echo"] == "UNAVAILABLE"
    assert "echo" not in states(manager, ready=True)
    loaded = manager.RepositoryModelLoad(pb.RepositoryModelLoadRequest(**{field: "echo"}))
    assert (loaded.model_name, loaded.isLoaded) == ("echo", True)
    assert states(manager, ready=True)["echo"] == "READY"


def test_an_unknown_model_is_not_found(manager: Any) -> None:
    """KServe P3."""
    for call, request in (
        (manager.RepositoryModelLoad, pb.RepositoryModelLoadRequest(model_name="gone")),
        (manager.RepositoryModelUnload, pb.RepositoryModelUnloadRequest(model_name="gone")),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call(request)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_without_the_flag_the_calls_are_unimplemented(stub: Any) -> None:
    """KServe P4."""
    for call, request in (
        (stub.RepositoryIndex, pb.RepositoryIndexRequest()),
        (stub.RepositoryModelLoad, pb.RepositoryModelLoadRequest(model_name="echo")),
        (stub.RepositoryModelUnload, pb.RepositoryModelUnloadRequest(model_name="echo")),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call(request)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert "--repository_extension" in error.value.details()
    assert stub.ModelReady(pb.ModelReadyRequest(name="echo")).ready


def test_an_unload_ends_the_streams_of_the_model(manager: Any) -> None:
    """KServe P3, S14."""
    requests: queue.SimpleQueue[pb.ModelInferRequest | None] = queue.SimpleQueue()
    call = manager.ModelStreamInfer(iter(requests.get, None), timeout=20)
    message = pb.ModelInferRequest(model_name="sum", raw_input_contents=[bytes(4)])
    message.inputs.add(name="in", datatype="FP32", shape=[1])
    requests.put(message)
    assert next(call).error_message == ""
    manager.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(model_name="sum"), timeout=20)
    with pytest.raises(grpc.RpcError) as error:
        next(call)
    requests.put(None)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "The model 'sum' is unloaded; the stream ends."
    manager.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="sum"))


def test_a_stream_goes_on_while_its_model_is_loaded_anew(manager: Any) -> None:
    """KServe S2."""
    requests: queue.SimpleQueue[pb.ModelInferRequest | None] = queue.SimpleQueue()
    call = manager.ModelStreamInfer(iter(requests.get, None), timeout=20)
    message = pb.ModelInferRequest(
        model_name="sum", raw_input_contents=[np.array([1], "<f4").tobytes()]
    )
    message.inputs.add(name="in", datatype="FP32", shape=[1])
    sums = []
    for _ in range(2):
        requests.put(message)
        (raw,) = next(call).infer_response.raw_output_contents
        sums.append(float(np.frombuffer(raw, "<f4")[0]))
        manager.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="sum"), timeout=20)
    requests.put(None)
    assert list(call) == []
    assert sums == [1, 2]

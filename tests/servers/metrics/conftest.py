"""A server of the test's own, so that its counts are known, and how to read what it tells."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.servers.metrics.ovms import DEFAULT, OPTIONAL, OvmsMetrics


class Counted:
    """A server that was not called before, over REST and gRPC."""

    def __init__(self, served: Any, stub: Any) -> None:
        self.served = served
        self.stub = stub

    def embed(self, model: str, text: str, **headers: str) -> int:
        body = f'{{"model": "{model}", "input": "{text}"}}'
        return int(self.served.call("POST", "/v3/embeddings", body, **headers).status)

    def infer(self, model: str, **parameters: bool) -> grpc.StatusCode:
        request = pb.ModelInferRequest(model_name=model)
        request.inputs.add(name="x", datatype="FP32", shape=[0])
        request.raw_input_contents.append(b"")
        for name, value in parameters.items():
            request.parameters[name].bool_param = value
        try:
            self.stub.ModelInfer(request, timeout=10)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def value(self, name: str, /, **labels: str) -> float:
        """The sum of the samples with these labels; at least one must be there."""
        text = self.served.call("GET", "/metrics").body.decode()
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"no {name} with {labels} in\n{text}"
        return sum(found)


@pytest.fixture
def counted(serve: Callable[..., Any], tmp_path: Any) -> Iterator[Counted]:
    every = OvmsMetrics.asked_for([*DEFAULT, *OPTIONAL])
    with (
        serve(tmp_path, ovms=every) as served,
        grpc.insecure_channel(served.grpc_address) as channel,
    ):
        yield Counted(served, GRPCInferenceServiceStub(channel))

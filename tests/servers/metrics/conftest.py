"""A server of these tests' own, and what it has counted since a test began."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub
from calcgraph.servers.metrics.ovms import DEFAULT, OPTIONAL, OvmsMetrics


class Counted:
    """A server, called over REST and gRPC."""

    def __init__(self, served: Any, stub: Any) -> None:
        self.served = served
        self.stub = stub
        self._before = self.text()

    def text(self) -> str:
        return str(self.served.call("GET", "/metrics").body.decode())

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
        """By how much the sum of the samples with these labels grew in this test."""
        now = matching(self.text(), name, labels)
        assert now, f"no {name} with {labels}"
        return sum(now) - sum(matching(self._before, name, labels))

    def now(self, name: str, /, **labels: str) -> float:
        """What the sum of them is."""
        return sum(matching(self.text(), name, labels))


def matching(text: str, name: str, labels: dict[str, str]) -> list[float]:
    return [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


@pytest.fixture(scope="session")
def counting(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    every = OvmsMetrics.asked_for([*DEFAULT, *OPTIONAL])
    with (
        serve(tmp_path_factory.mktemp("counted"), ovms=every) as served,
        grpc.insecure_channel(served.grpc_address) as channel,
    ):
        yield served, GRPCInferenceServiceStub(channel)


@pytest.fixture
def counted(counting: Any) -> Counted:
    return Counted(*counting)

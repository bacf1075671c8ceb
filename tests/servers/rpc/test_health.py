"""grpc.health.v1, as Kubernetes' probes ask it."""

from typing import Any

import grpc
import pytest

from calcgraph.proto.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListRequest
from calcgraph.proto.health_pb2_grpc import HealthStub

INFERENCE = "inference.GRPCInferenceService"


@pytest.mark.parametrize("service", ["", INFERENCE])
def test_the_server_serves_once_all_its_models_do(serve: Any, served: Any, service: str) -> None:
    """KServe G18."""
    with grpc.insecure_channel(served.grpc_address) as channel:
        answer = HealthStub(channel).Check(HealthCheckRequest(service=service))
        assert answer.status == HealthCheckResponse.NOT_SERVING  # one model is not loaded
        statuses = HealthStub(channel).List(HealthListRequest()).statuses
        assert statuses[service].status == HealthCheckResponse.NOT_SERVING


def test_a_service_that_there_is_not_is_not_found(served: Any) -> None:
    """KServe G18."""
    with grpc.insecure_channel(served.grpc_address) as channel:
        with pytest.raises(grpc.RpcError) as error:
            HealthStub(channel).Check(HealthCheckRequest(service="gone"))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        watch = HealthStub(channel).Watch(HealthCheckRequest(service="gone"))
        assert next(watch).status == HealthCheckResponse.SERVICE_UNKNOWN
        watch.cancel()

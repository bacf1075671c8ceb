"""Run by a Python that knows none of our messages: asks the server for them, as grpcurl does, and calls it."""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


def main(address):
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)

        def call(service, method, **body):
            found = pool.FindServiceByName(service).methods_by_name[method]
            request = ParseDict(body, GetMessageClass(found.input_type)())
            rpc = channel.unary_unary(
                f"/{service}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=GetMessageClass(found.output_type).FromString,
            )
            return MessageToDict(rpc(request))

        inference = "inference.GRPCInferenceService"
        tensor = {"name": "in", "datatype": "FP32", "shape": [1], "contents": {"fp32Contents": [5]}}
        seen = {
            "services": list(database.get_services()),
            "health": call("grpc.health.v1.Health", "Check"),
            "server": call(inference, "ServerMetadata"),
            "infer": call(inference, "ModelInfer", modelName="total", inputs=[tensor]),
        }
    print(json.dumps(seen))


main(**json.load(sys.stdin))

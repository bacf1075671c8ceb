"""Run by the Python that has kserve: prints, as JSON, what its REST and gRPC clients see."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(model, value, how):
    tensor = InferInput("in", [1], "FP32", data=[value] if how == "list" else None)
    if how != "list":
        tensor.set_data_from_numpy(np.array([value], np.float32), binary_data=how == "binary")
    return InferRequest(model, [tensor], request_id="the id")


def result(answer):
    (output,) = answer.outputs
    return [answer.id, answer.model_name, output.as_numpy().tolist()]


async def refusal(call):
    try:
        await call
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


async def over_rest(url, model):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    seen = {
        "ready": [
            await client.is_server_live(url),
            await client.is_server_ready(url),
            await client.is_model_ready(url, model),
        ],
        "answers": [
            result(await client.infer(url, request(model, 5.0, how), model_name=model))
            for how in ("list", "json", "binary")
        ],
        "gone": await refusal(client.infer(url, request("gone", 5.0, "list"), model_name="gone")),
    }
    await client.close()
    return seen


async def over_grpc(address, model):
    client = InferenceGRPCClient(address, retries=0)
    seen = {
        "ready": [
            await client.is_server_live(),
            await client.is_server_ready(),
            await client.is_model_ready(model),
        ],
        "answers": [
            result(await client.infer(request(model, 5.0, how)))
            for how in ("list", "json", "binary")
        ],
        "gone": await refusal(client.infer(request("gone", 5.0, "list"))),
    }
    await client.close()
    return seen


async def main(grpc, rest, model):
    return {
        "rest": await over_rest(f"http://{rest}", model),
        "grpc": await over_grpc(grpc, model),
    }


print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))

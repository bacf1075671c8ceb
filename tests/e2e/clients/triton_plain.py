"""Run by the Python that has tritonclient: prints, as JSON, what the client sees of plain models."""

import asyncio
import json
import sys

import numpy as np
import tritonclient.grpc as rpc
import tritonclient.grpc.aio as rpc_aio
import tritonclient.http as http
from tritonclient.utils import InferenceServerException


def main(grpc, rest):
    seen = {
        "grpc": over(rpc, rpc.InferenceServerClient(grpc)),
        "http": over(http, http.InferenceServerClient(rest)),
        "at_once": asyncio.run(at_once(grpc)),
    }
    print(json.dumps(seen))


def over(kind, client):
    row = [1, 2, 3]
    return {
        "metadata": metadata(client, kind),
        "sums": {v: ask(kind, client, "add", row, version=v) for v in ("", "1", "2")},
        "outputs": ask(kind, client, "add", row, outputs=["sum"]),
        "fixed": ask(kind, client, "fixed", [row, row]),
        "graph": ask(kind, client, "total", row, names=("one", "two"), output="total"),
        "minilm": minilm(kind, client),
        "refusals": {
            "version": refusal(lambda: ask(kind, client, "add", row, version="7")),
            "shape": refusal(lambda: ask(kind, client, "fixed", [row])),
            "rank": refusal(lambda: ask(kind, client, "add", [[[1]]])),
            "datatype": refusal(lambda: ask(kind, client, "add", row, "INT64")),
            "name": refusal(lambda: ask(kind, client, "add", row, names="ac")),
            "missing": refusal(lambda: ask(kind, client, "add", row, names="a")),
            "output": refusal(lambda: ask(kind, client, "add", row, outputs=["gone"])),
            "uneven": refusal(lambda: uneven(kind, client)),
        },
    }


def metadata(client, kind):
    found = client.get_model_metadata("add", **({"as_json": True} if kind is rpc else {}))
    ports = {
        port["name"]: [port["datatype"], [int(size) for size in port["shape"]]]
        for port in (*found["inputs"], *found["outputs"])
    }
    return [found["platform"], found["versions"], ports]


def ask(
    kind, client, model, values, datatype="FP32", version="", outputs=(), names="ab", output="sum"
):
    array = np.array(values, {"FP32": np.float32, "INT64": np.int64}[datatype])
    array = array.reshape(1, -1) if array.ndim == 1 else array
    tensors = [filled(kind, name, datatype, array) for name in names]
    wanted = [kind.InferRequestedOutput(each) for each in outputs] or None
    answer = client.infer(model, tensors, model_version=version, outputs=wanted)
    return answer.as_numpy(output).tolist()


def filled(kind, name, datatype, array):
    tensor = kind.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return tensor


def uneven(kind, client):
    one, two = np.ones((2, 3), np.float32), np.ones((3, 3), np.float32)
    return client.infer("add", [filled(kind, "a", "FP32", one), filled(kind, "b", "FP32", two)])


def minilm(kind, client):
    ids = np.array([[101, 7592, 2088, 102]], np.int64)
    tensors = [
        filled(kind, "input_ids", "INT64", ids),
        filled(kind, "attention_mask", "INT64", np.ones_like(ids)),
        filled(kind, "token_type_ids", "INT64", np.zeros_like(ids)),
    ]
    named = {port["name"] for port in _inputs(kind, client)}
    answer = client.infer("minilm", [tensor for tensor in tensors if tensor.name() in named])
    return answer.as_numpy("last_hidden_state").mean(1).tolist()


def _inputs(kind, client):
    return client.get_model_metadata("minilm", **({"as_json": True} if kind is rpc else {}))[
        "inputs"
    ]


async def at_once(grpc):
    """A hundred requests of different sizes, each with an answer of its own."""
    async with rpc_aio.InferenceServerClient(grpc) as client:

        async def one(i):
            array = np.full((1 + i % 4, 3), i, np.float32)
            tensors = [filled(rpc_aio, name, "FP32", array) for name in "ab"]
            answer = (await client.infer("add", tensors)).as_numpy("sum")
            return bool(np.array_equal(answer, array * 2 + 2))

        return await asyncio.gather(*(one(i) for i in range(100)))


def refusal(ask):
    try:
        ask()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


if __name__ == "__main__":
    main(**json.load(sys.stdin))

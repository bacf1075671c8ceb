"""Run by the Python that has tritonclient: prints, as JSON, what its clients see of graphs with state."""

import asyncio
import json
import queue
import sys

import numpy as np
import tritonclient.grpc as rpc
import tritonclient.grpc.aio as rpc_aio
import tritonclient.http as http
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException


def number(module, value, name="in", **how):
    tensor = module.InferInput(name, [1], "FP32")
    tensor.set_data_from_numpy(np.array([value], np.float32), **how)
    return tensor


def value(result):
    return float(result.as_numpy("out")[0])


def refusal(call):
    try:
        call()
    except InferenceServerException as error:
        return [str(error.status()), error.message()]
    return None


def main(grpc, rest):
    seen = {
        "stream": stream(grpc),
        "cancelled": cancelled(grpc),
        "final": final(grpc),
        "grpc": over_grpc(grpc),
        "http": over_http(rest),
        "python": python_nodes(grpc),
        "repository": [
            repository(rpc.InferenceServerClient(grpc)),
            repository(http.InferenceServerClient(rest)),
        ],
        "aio": asyncio.run(over_aio(grpc, rest)),
    }
    print(json.dumps(seen))


def stream(address):
    """Good, bad and good requests on one stream; the last is refused by the graph and ends it."""
    answers = queue.Queue()
    seen = []
    with rpc.InferenceServerClient(address) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))

        def ask(tensor, **more):
            client.async_stream_infer("total", [tensor], **more)
            result, error = answers.get(timeout=20)
            if error is not None:
                seen.append([str(error.status()), error.message()])
            else:
                response = result.get_response()
                seen.append([response.id, value(result), response.model_version])

        ask(number(rpc, 1), request_id="one", parameters={"start": 10})
        ask(number(rpc, 2), request_id="two")
        ask(number(rpc, 2, name="wrong"))
        ask(number(rpc, 3), request_id="three", priority=1, timeout=10**6)
        ask(number(rpc, 4), sequence_id=7, sequence_start=True, sequence_end=True)
        ask(number(rpc, -1))
        client.stop_stream()
        client.start_stream(lambda result, error: answers.put((result, error)))
        ask(number(rpc, 1), request_id="new")
        client.stop_stream()
    return seen


def cancelled(address):
    """A stream that is cancelled with a request on its way; the client must not hang."""
    with rpc.InferenceServerClient(address) as client:
        answers = queue.Queue()
        client.start_stream(lambda result, error: answers.put(error))
        client.async_stream_infer("total", [number(rpc, 1)])
        client.stop_stream(cancel_requests=True)
        return value(client.infer("total", [number(rpc, 5)]))


def final(address):
    with rpc.InferenceServerClient(address) as client:
        answers = queue.Queue()
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("total", [number(rpc, 1)], enable_empty_final_response=True)
        result, error = answers.get(timeout=20)
        client.stop_stream()
        assert error is None, error
        return result.get_response().parameters["triton_final_response"].bool_param


def over_grpc(address):
    with rpc.InferenceServerClient(address) as client:
        metadata = client.get_model_metadata("total")
        return {
            "inputs": [[i.name, i.datatype, list(i.shape)] for i in metadata.inputs],
            "state": [value(client.infer("total", [number(rpc, 5)])) for _ in range(2)],
            "side": value(client.infer("total", [number(rpc, 5)], parameters={"start": 37})),
            "compressed": [
                value(client.infer("total", [number(rpc, 5)], compression_algorithm=algorithm))
                for algorithm in ("gzip", "deflate")
            ],
            "reserved": value(
                client.infer(
                    "total",
                    [number(rpc, 5)],
                    sequence_id=3,
                    sequence_start=True,
                    priority=2,
                    timeout=10**6,
                    headers={"x-anything": "y"},
                )
            ),
            "empty": refusal(lambda: client.infer("total", [rpc.InferInput("in", [1], "FP32")])),
            "refused": refusal(lambda: client.infer("total", [number(rpc, -1)])),
            "deadline": refusal(lambda: client.infer("slow", [number(rpc, 1)], client_timeout=0.5)),
        }


def over_http(address):
    client = http.InferenceServerClient(address)
    answers = {}
    for binary in (True, False):
        for packed in (None, "gzip", "deflate"):
            result = client.infer(
                "total",
                [number(http, 5, binary_data=binary)],
                outputs=[http.InferRequestedOutput("out", binary_data=binary)],
                request_compression_algorithm=packed,
                response_compression_algorithm=packed,
            )
            answers[f"binary={binary} packed={packed}"] = value(result)
    below = http.InferenceServerClient(f"{address}/nothing/here")
    return {
        "answers": answers,
        "default": value(client.infer("total", [number(http, 5)])),
        "side": value(client.infer("total", [number(http, 5)], parameters={"start": 37})),
        "reserved": value(
            client.infer("total", [number(http, 5)], sequence_id=3, priority=2, timeout=10**6)
        ),
        "extensions": client.get_server_metadata()["extensions"],
        "version": client.get_model_metadata("total", "1")["versions"],
        "refused": refusal(lambda: client.infer("total", [number(http, -1)])),
        "below": below.is_server_live(),
    }


def python_nodes(address):
    """As OVMS's own examples send text to Python nodes: raw, without lengths."""
    with rpc.InferenceServerClient(address) as client:
        text = "Grüße".encode()
        tensor = rpc.InferInput("in", [len(text)], "BYTES")
        tensor._raw_content = text
        response = client.infer("python", [tensor]).get_response()
        return response.raw_output_contents[0].decode()


def repository(client):
    def states():
        index = client.get_model_repository_index()
        if isinstance(index, list):
            return {model["name"]: model["state"] for model in index}
        return {model.name: model.state for model in index.models}

    seen = [states()["total"]]
    client.unload_model("total")
    seen += [states()["total"], refusal(lambda: client.unload_model("gone"))]
    client.load_model("total")
    return [*seen, states()["total"], client.is_model_ready("total")]


async def over_aio(grpc, rest):
    async with (
        rpc_aio.InferenceServerClient(grpc) as client,
        http_aio.InferenceServerClient(rest) as web,
    ):

        async def requests():
            for i in range(3):
                yield {
                    "model_name": "total",
                    "inputs": [number(rpc_aio, i + 1)],
                    "request_id": str(i),
                }

        streamed = []
        async for result, error in client.stream_infer(requests()):
            streamed.append(str(error) if error else [result.get_response().id, value(result)])
        return {
            "ready": [await client.is_server_ready(), await web.is_server_ready()],
            "grpc": value(await client.infer("total", [number(rpc_aio, 5)])),
            "http": value(await web.infer("total", [number(http, 5)])),
            "stream": streamed,
        }


main(**json.load(sys.stdin))

"""Run by the Python that has tritonclient: prints, as JSON, what the client sees of a server."""

import json
import queue
import sys

import numpy as np
import tritonclient.grpc as rpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException


def main(grpc, rest, model, texts):
    client = rpc.InferenceServerClient(grpc)
    metadata = client.get_model_metadata(model)
    seen = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model),
        "server": client.get_server_metadata().name,
        "inputs": [[i.name, i.datatype, list(i.shape)] for i in metadata.inputs],
        "outputs": [[o.name, o.datatype, list(o.shape)] for o in metadata.outputs],
        "vectors": [embed(client, model, [text])[0] for text in texts],
        "together": embed(client, model, texts),
        "streamed": streamed(client, model, texts),
        "refusals": [
            refusal(lambda: embed(client, "gone", texts)),
            refusal(lambda: embed(client, model, texts, name="text")),
            refusal(lambda: embed(client, model, texts, outputs=["gone"])),
            refusal(lambda: client.is_model_ready("gone")),
        ],
        "http": over_http(http.InferenceServerClient(rest), model, texts),
    }
    print(json.dumps(seen))


def embed(client, model, texts, name="input", outputs=()):
    tensor = rpc.InferInput(name, [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode() for text in texts], np.object_))
    wanted = [rpc.InferRequestedOutput(output) for output in outputs] or None
    result = client.infer(model, [tensor], outputs=wanted, request_id="e2e-1")
    response = result.get_response()
    assert (response.id, response.model_name, response.model_version) == ("e2e-1", model, "1")
    return result.as_numpy("embeddings").tolist()


def streamed(client, model, texts):
    """Id and vector of each answer, in the order in which they came."""
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i, text in enumerate(texts):
        tensor = rpc.InferInput("input", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([text.encode()], np.object_))
        client.async_stream_infer(model, [tensor], request_id=str(i))
    seen = []
    for _ in texts:
        result, error = answers.get(timeout=30)
        assert error is None, error
        seen.append([result.get_response().id, result.as_numpy("embeddings")[0].tolist()])
    client.stop_stream()
    return seen


def over_http(client, model, texts):
    words = np.array(texts, np.object_)
    seen = {
        "ready": [client.is_server_live(), client.is_server_ready(), client.is_model_ready(model)],
        "metadata": client.get_model_metadata(model),
        "vectors": {},
        "refusal": refusal(lambda: client.get_model_metadata("gone")),
    }
    for binary in (True, False):
        tensor = http.InferInput("input", [len(texts)], "BYTES")
        tensor.set_data_from_numpy(words, binary_data=binary)
        output = http.InferRequestedOutput("embeddings", binary_data=binary)
        for outputs in (None, [output]):
            for packed in (None, "gzip"):
                result = client.infer(
                    model, [tensor], outputs=outputs, request_compression_algorithm=packed
                )
                key = f"binary={binary} outputs={outputs is not None} packed={packed}"
                seen["vectors"][key] = result.as_numpy("embeddings").tolist()
    return seen


def refusal(call):
    try:
        call()
    except InferenceServerException as error:
        return [str(error.status()), error.message()]
    return None


main(**json.load(sys.stdin))

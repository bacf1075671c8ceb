"""Run by the Python that has tritonclient: prints, as JSON, what streams of the words model answer."""

import json
import queue
import sys

import numpy as np
import tritonclient.grpc as rpc


def main(grpc, streams):
    client = rpc.InferenceServerClient(grpc)
    print(json.dumps([words(client, [bytes(text) for text in texts]) for texts in streams]))


def words(client, texts):
    """The answers of one stream of requests; an error is a list of its status and message."""
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for text in texts:
        data = np.frombuffer(text, np.uint8)
        tensor = rpc.InferInput("text", list(data.shape), "UINT8")
        tensor.set_data_from_numpy(data)
        client.async_stream_infer("words", [tensor])
    client.stop_stream()
    found = []
    while not answers.empty():
        result, error = answers.get()
        found.append(
            [error.status(), error.message()]
            if error
            else result.as_numpy("word").tobytes().decode()
        )
    return found


if __name__ == "__main__":
    main(**json.load(sys.stdin))

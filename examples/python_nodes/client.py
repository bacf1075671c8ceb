"""Asks both models: pip install 'tritonclient[grpc]'; python client.py [HOST:PORT]"""

import queue
import sys

import numpy as np
import tritonclient.grpc as grpcclient


def tidy(client, texts):
    """One request, one answer."""
    tensor = grpcclient.InferInput("texts", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode() for text in texts], object))
    return [each.decode() for each in client.infer("tidy", [tensor]).as_numpy("tidy")]


def words(client, text):
    """One request, an answer for every word."""
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put(error or result))
    data = np.frombuffer(text.encode(), np.uint8)
    tensor = grpcclient.InferInput("text", list(data.shape), "UINT8")
    tensor.set_data_from_numpy(data)
    client.async_stream_infer("words", [tensor])
    client.stop_stream()  # returns when the last word is there
    while not answers.empty():
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        yield answer.as_numpy("word").tobytes().decode()


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "localhost:9000"
    client = grpcclient.InferenceServerClient(address)
    print(tidy(client, ["  hello \u2009 world ", "\ufb01ne\ttext"]))
    for word in words(client, "one word after the other"):
        print(word)

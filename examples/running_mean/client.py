"""Send texts one by one over one gRPC stream and print, for each, the mean of all vectors so far."""

import argparse
import json
import queue

import numpy as np
import tritonclient.grpc as grpc


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", default="127.0.0.1:9000")
    arguments.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
    arguments.add_argument("texts", nargs="+")
    args = arguments.parse_args()
    for text, mean in means(args.url, args.model, args.texts):
        print(json.dumps({"text": text, "mean": mean.tolist()}))


def means(url, model, texts):
    """Each text with the mean of its vector and all before it."""
    answers = queue.Queue()
    with grpc.InferenceServerClient(url) as client:
        client.start_stream(lambda result, error: answers.put(error or result))
        for text in texts:
            tensor = grpc.InferInput("input", [1], "BYTES")
            tensor.set_data_from_numpy(np.array([text.encode()], object))
            client.async_stream_infer(model, [tensor], request_id=text)
            answer = answers.get()
            if isinstance(answer, Exception):
                raise answer
            yield answer.get_response().id, answer.as_numpy("embeddings")[0]


if __name__ == "__main__":
    main()

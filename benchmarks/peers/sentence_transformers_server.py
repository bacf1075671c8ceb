"""sentence-transformers with its OpenVINO backend behind FastAPI, as its users write it.

    python sentence_transformers_server.py MODEL_FOLDER PORT

Answers OpenAI's `embeddings` at /v1/embeddings. The model of the backend takes one call at a time.
"""

import base64
import sys
import threading

import numpy as np
import uvicorn
from fastapi import FastAPI, Response
from orjson import dumps
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

app = FastAPI()
model = SentenceTransformer(sys.argv[1], backend="openvino")
one_at_a_time = threading.Lock()


class Call(BaseModel):
    model: str
    input: str | list[str]
    encoding_format: str = "float"


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/v1/embeddings")
def embeddings(call: Call) -> Response:
    texts = [call.input] if isinstance(call.input, str) else call.input
    with one_at_a_time:
        vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    data = [
        {"object": "embedding", "index": i, "embedding": written(vector, call.encoding_format)}
        for i, vector in enumerate(vectors)
    ]
    return Response(dumps({"object": "list", "model": call.model, "data": data}))


def written(vector: np.ndarray, encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)

"""What to send to which kind of server, and where it says how many tokens it read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

Texts = Sequence[str]
_PROMPT_TOKENS: Final = re.compile(rb'"prompt_tokens"\s*:\s*(\d+)')


@dataclass(frozen=True, slots=True)
class Backend:
    """One kind of server."""

    url: str
    """By default; {model} stands for the model's name."""
    body: Callable[[str, Texts], bytes]
    """From the model's name and some texts."""
    grpc: bool = False

    def url_of(self, model: str) -> str:
        return self.url.format(model=quote(model, safe=""))


def _json(body: Any) -> bytes:
    return orjson.dumps(body)


def _openai(model: str, texts: Texts) -> bytes:
    return _json({"model": model, "input": list(texts), "encoding_format": "base64"})


def _tei(model: str, texts: Texts) -> bytes:
    return _json({"inputs": list(texts)})


def _rerank(model: str, texts: Texts) -> bytes:
    return _json({"model": model, "query": "Hello", "documents": list(texts)})


def _kserve(model: str, texts: Texts) -> bytes:
    tensor = {"name": "input", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts)}
    return _json({"inputs": [tensor], "parameters": {"binary_data_output": True}})


def _kserve_grpc(model: str, texts: Texts) -> bytes:
    from calcgraph.proto import inference_pb2 as pb

    request = pb.ModelInferRequest(model_name=model)
    tensor = request.inputs.add(name="input", datatype="BYTES", shape=[len(texts)])
    tensor.contents.bytes_contents.extend(text.encode() for text in texts)
    payload: bytes = request.SerializeToString()
    return payload


BACKENDS: Final = {
    # OVMS's own names, so that its command lines work.
    "ovms-embeddings": Backend("http://localhost:8000/v3/embeddings", _openai),
    "tei-embed": Backend("http://localhost:8080/embed", _tei),
    "infinity-embeddings": Backend("http://localhost:7997/embeddings", _openai),
    "ovms_rerank": Backend("http://localhost:8000/v3/rerank", _rerank),
    "openai": Backend("http://localhost:8000/v1/embeddings", _openai),
    "kserve": Backend("http://localhost:8000/v2/models/{model}/infer", _kserve),
    "kserve-grpc": Backend("localhost:9000", _kserve_grpc, grpc=True),
}


def counted_tokens(answer: bytes) -> int | None:
    """What an OpenAI-style answer says of the tokens it took; None for others."""
    found = _PROMPT_TOKENS.search(answer, max(0, len(answer) - 256)) or _PROMPT_TOKENS.search(
        answer
    )
    return int(found[1]) if found else None

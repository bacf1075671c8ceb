"""Over the wire: token endpoints, bare answers with their headers, and a fingerprint that does not fit."""

import io
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import numpy as np
import openai
import pytest

BF16 = "sentence-transformers/all-MiniLM-L6-v2"
F32 = "e2e/minilm-f32"


@dataclass(frozen=True)
class Answer:
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def post(server: Any, path: str, accept: str = "*/*", **body: Any) -> Answer:
    with closing(HTTPConnection(server.rest, timeout=60)) as connection:
        connection.request("POST", path, json.dumps({"model": F32, **body}), {"Accept": accept})
        response = connection.getresponse()
        assert response.status == 200
        return Answer(response.headers, response.read())


@pytest.mark.parametrize("prefix", ["/v1", "/v3", "/v3/v1"])
def test_tokens_go_and_come_under_every_prefix(server: Any, prefix: str) -> None:
    tokens = post(server, f"{prefix}/tokenize", text="hello world").json()
    assert tokens == {"tokens": [101, 7592, 2088, 102]}
    assert post(server, f"{prefix}/detokenize", **tokens).json() == {"text": "hello world"}


def test_bare_numbers_come_with_what_json_would_tell(server: Any) -> None:
    texts = ["a happy person", "a very happy person"]
    expected = server.embed(F32, texts)
    raw = post(server, "/v3/embeddings", "application/octet-stream", input=texts)
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-model"] == F32
    assert raw.headers["x-embedding-shape"] == "2,384"
    assert raw.headers["x-usage-prompt-tokens"] == "11"
    np.testing.assert_allclose(np.frombuffer(raw.body, "<f4").reshape(2, 384), expected, atol=1e-6)
    npy = post(server, "/v3/embeddings", "application/x-npy", input=texts)
    assert npy.headers["content-type"] == "application/x-npy"
    np.testing.assert_allclose(np.load(io.BytesIO(npy.body)), expected, atol=1e-6)


def test_another_fingerprint_than_expected_is_a_409_that_openai_does_not_retry(server: Any) -> None:
    sent: list[Any] = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    with openai.OpenAI(
        base_url=f"http://{server.rest}/v3", api_key="unused", http_client=http
    ) as client:
        answer = client.embeddings.create(model=F32, input="x").model_dump()
        model = client.models.retrieve(F32).model_dump()
        assert answer["system_fingerprint"] == model["details"]["fingerprint"]
        expected = {"expected_fingerprint": answer["system_fingerprint"]}
        assert client.embeddings.create(model=F32, input="x", extra_body=expected).data
        sent.clear()
        with pytest.raises(openai.ConflictError, match="belong in one index") as raised:
            client.embeddings.create(model=BF16, input="x", extra_body=expected)
        assert raised.value.code == "fingerprint_mismatch"
        assert len(sent) == 1


def test_what_was_cut_shows_in_body_and_header(server: Any) -> None:
    answer = post(server, "/v3/embeddings", input=["short", "word " * 400], truncate=True)
    assert answer.headers["x-truncated-inputs"] == "1"
    assert answer.json()["usage"]["truncated"] == [{"index": 1, "tokens": 402, "kept": 256}]

"""The clients that people use, against the real server: all see the same vectors."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

BF16 = "sentence-transformers/all-MiniLM-L6-v2"
F32 = "e2e/minilm-f32"
TEXTS = ["hello world", "Ünïcödé, 日本語 and 🎉", "", "word " * 200]
TRITON = Path(__file__).parent / "clients" / "triton.py"

# One request after the other takes one shape, so that nothing but the wire could differ.
WIRE = {"rtol": 0, "atol": 1e-7}


@pytest.fixture
def sent() -> list[Any]:
    """The requests that the openai client has put on the wire."""
    return []


@pytest.fixture
def client(server: Any, sent: list[Any]) -> Iterator[openai.OpenAI]:
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    with openai.OpenAI(
        base_url=f"http://{server.rest}/v3", api_key="unused", http_client=http
    ) as client:
        yield client


@pytest.fixture(scope="module")
def expected(server: Any) -> np.ndarray:
    """The vector of each text, asked for alone."""
    return np.concatenate([server.embed(F32, text) for text in TEXTS])


@pytest.fixture(scope="module")
def triton(server: Any, client_python: Callable[[str, Sequence[str]], Path]) -> dict[str, Any]:
    """What tritonclient sees, in a process and an environment of its own."""
    python = client_python("tritonclient", ["tritonclient[grpc,http]"])
    question = json.dumps({"grpc": server.grpc, "rest": server.rest, "model": F32, "texts": TEXTS})
    done = subprocess.run(
        [python, TRITON], input=question, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_openai_gets_the_vectors_by_default_as_base64(
    client: openai.OpenAI, sent: list[Any], expected: np.ndarray
) -> None:
    found = [client.embeddings.create(model=F32, input=text).data[0].embedding for text in TEXTS]
    assert json.loads(sent[0].content)["encoding_format"] == "base64"
    assert {len(vector) for vector in found} == {384}
    np.testing.assert_allclose(found, expected, **WIRE)


def test_openai_gets_the_same_vectors_as_floats(
    client: openai.OpenAI, expected: np.ndarray
) -> None:
    for text, vector in zip(TEXTS, expected, strict=True):
        answer = client.embeddings.create(model=F32, input=text, encoding_format="float")
        np.testing.assert_allclose(answer.data[0].embedding, vector, **WIRE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "encoding", ["", ', "encoding_format": null', ', "encoding_format": "float"']
)
def test_curl_gets_the_same_vectors(server: Any, expected: np.ndarray, encoding: str) -> None:
    for text, vector in zip(TEXTS, expected, strict=True):
        body = f'{{"model": "{F32}", "input": {json.dumps(text)}{encoding}}}'
        url = f"http://{server.rest}/v1/embeddings"
        done = subprocess.run(["curl", "-sS", url, "-d", body], capture_output=True, check=True)
        (item,) = json.loads(done.stdout)["data"]
        np.testing.assert_allclose(item["embedding"], vector, **WIRE)


def test_tritonclient_gets_the_same_vectors(triton: dict[str, Any], expected: np.ndarray) -> None:
    """KServe Z1, E4."""
    np.testing.assert_allclose(triton["vectors"], expected, **WIRE)
    np.testing.assert_allclose(triton["together"], expected, rtol=0, atol=1e-5)


def test_tritonclient_sees_a_live_server_and_how_to_ask_it(triton: dict[str, Any]) -> None:
    """KServe G1, G2, E1."""
    assert triton["live"] and triton["ready"] and triton["model_ready"]
    assert triton["server"] == "calcgraph"
    assert triton["inputs"] == [["input", "BYTES", [-1]]]
    assert triton["outputs"] == [["embeddings", "FP32", [-1, 384]]]


def test_tritonclient_gets_one_answer_a_request_in_a_stream(
    triton: dict[str, Any], expected: np.ndarray
) -> None:
    """KServe S3, E8."""
    assert [id for id, _ in triton["streamed"]] == [str(i) for i in range(len(TEXTS))]
    vectors = [vector for _, vector in triton["streamed"]]
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)


def test_tritonclient_is_told_its_mistakes(triton: dict[str, Any]) -> None:
    """KServe G11, G12."""
    model, name, output, ready = triton["refusals"]
    assert model == ["StatusCode.NOT_FOUND", "The model 'gone' does not exist"]
    assert name[0] == "StatusCode.INVALID_ARGUMENT"
    assert "input" in name[1]
    assert output[0] == "StatusCode.INVALID_ARGUMENT"
    assert "no output 'gone'" in output[1]
    assert ready[0] == "StatusCode.NOT_FOUND"


def test_tritonclient_gets_the_same_vectors_over_http(
    triton: dict[str, Any], expected: np.ndarray
) -> None:
    """KServe Z5, B11, B12, B16, E4, E9."""
    seen = triton["http"]
    assert seen["ready"] == [True, True, True]
    assert seen["metadata"]["name"] == F32
    assert len(seen["vectors"]) == 8
    for way, vectors in seen["vectors"].items():
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5, err_msg=way)


def test_tritonclient_is_told_its_mistakes_over_http(triton: dict[str, Any]) -> None:
    """KServe Z2."""
    assert triton["http"]["refusal"] == ["404", "The model 'gone' does not exist"]


def test_kserve_json_gets_the_same_vectors(server: Any, expected: np.ndarray) -> None:
    """KServe E4, E9."""
    tensor = {"name": "input", "datatype": "BYTES", "shape": [len(TEXTS)], "data": TEXTS}
    status, answer = server.post(f"/v2/models/{F32}/infer", {"id": "7", "inputs": [tensor]})
    assert status == 200
    assert (answer["id"], answer["model_name"]) == ("7", F32)
    (output,) = answer["outputs"]
    assert output["shape"] == [len(TEXTS), 384]
    found = np.reshape(output["data"], output["shape"])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_answer_names_the_model_and_counts_the_tokens(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model=F32, input=["hello world", ""])
    assert answer.object == "list"
    assert answer.model == F32
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 4 + 2


def test_the_order_of_300_inputs_is_kept(client: openai.OpenAI, server: Any) -> None:
    texts = [f"{'very ' * (i % 17)}text number {i}" for i in range(300)]
    answer = client.embeddings.create(model=F32, input=texts)
    assert [item.index for item in answer.data] == list(range(300))
    found = np.array([item.embedding for item in answer.data], np.float32)
    for i in range(0, 300, 37):
        np.testing.assert_allclose(found[i], server.embed(F32, texts[i])[0], rtol=0, atol=1e-5)


def test_2048_inputs_are_taken_and_2049_are_not(client: openai.OpenAI) -> None:
    assert len(client.embeddings.create(model=BF16, input=["a"] * 2048).data) == 2048
    with pytest.raises(openai.BadRequestError, match="2049") as refused:
        client.embeddings.create(model=BF16, input=["a"] * 2049)
    assert refused.value.param == "input"


def test_an_unknown_model_is_told_once_and_not_retried(
    client: openai.OpenAI, sent: list[Any]
) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model="e2e/minilm-f23", input="x")
    assert refused.value.code == "model_not_found"
    assert "did you mean 'e2e/minilm-f32'?" in str(refused.value)
    assert len(sent) == 1


def test_the_reason_of_a_refusal_is_in_the_exception(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Error code: 400 - ") as refused:
        client.embeddings.create(model=F32, input="x", encoding_format="hex")  # type: ignore[arg-type]
    assert "'encoding_format' must be" in str(refused.value)
    assert (refused.value.param, refused.value.type) == ("encoding_format", "invalid_request_error")


def test_a_request_id_comes_with_success_and_error(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model=F32, input="x", extra_headers={"x-request-id": "a-1"})
    assert answer._request_id == "a-1"
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model="gone", input="x")
    assert refused.value.request_id


def test_malformed_json_is_a_bad_request_to_the_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="not valid JSON"):
        client.post("/embeddings", cast_to=object, content=b"{")


@pytest.mark.parametrize("version", ["v1", "v3", "v3/v1", "v3/"])
def test_every_base_url_works(server: Any, version: str) -> None:
    with openai.OpenAI(base_url=f"http://{server.rest}/{version}", api_key="x") as client:
        assert len(client.embeddings.create(model=F32, input="x").data) == 1


def test_models_are_listed_and_found_by_a_name_with_a_slash(
    client: openai.OpenAI, sent: list[Any]
) -> None:
    assert [model.id for model in client.models.list()] == [BF16, F32]
    assert client.models.retrieve(F32).id == F32
    assert "%2F" in str(sent[-1].url)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gone")


def test_a_model_tells_what_a_client_needs_to_use_it(client: openai.OpenAI) -> None:
    for model in client.models.list():
        details = model.details  # type: ignore[attr-defined]
        assert (details["dimensions"], details["max_tokens"]) == (384, 256)
        assert (details["pooling"], details["normalized"]) == ("MEAN", True)
        assert details["precision"] == {F32: "f32"}.get(model.id, details["precision"])
        answer = client.embeddings.create(model=model.id, input="x")
        assert answer.system_fingerprint == details["fingerprint"]  # type: ignore[attr-defined]


def test_base64_and_floats_are_the_same_numbers(server: Any) -> None:
    body = {"model": F32, "input": "hello world"}
    floats = server.post("/v3/embeddings", body)[1]["data"][0]["embedding"]
    exact = server.embed(F32, "hello world")[0]
    np.testing.assert_allclose(np.array(floats), exact, **WIRE)

"""Clients that cannot share our environment, each in its own: all see the vectors that openai sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import F32

CLIENTS = Path(__file__).parent / "clients"
TEXTS = ["hello world", "Ünïcödé, 日本語 and 🎉", "word " * 200]

# Texts that share a batch take another shape, which may move the last digits.
CLOSE = {"rtol": 0, "atol": 1e-5}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def expected(server: Any) -> np.ndarray:
    return np.concatenate([server.embed(F32, text) for text in TEXTS])


@pytest.fixture(scope="module")
def ask(server: Any) -> Callable[..., dict[str, Any]]:
    """Run a client's script; returns what it saw."""

    def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Any:
        question = json.dumps({"rest": server.rest, "model": F32, "texts": TEXTS})
        done = subprocess.run(
            command,
            input=question,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **(environment or {})},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.array(found, np.float32), wanted, **CLOSE)


def shortened(vectors: np.ndarray, length: int) -> np.ndarray:
    kept = vectors[:, :length]
    return kept / np.linalg.norm(kept, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def node(ask: Any, client_node: Any) -> dict[str, Any]:
    modules = client_node("node", ["openai"])
    return ask(["node", CLIENTS / "openai_node.cjs"], {"NODE_PATH": str(modules)})


class TestOpenAIForNode:
    pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")

    @pytest.mark.parametrize("way", ["byDefault", "withNull", "floats"])
    def test_every_encoding_gives_the_whole_vector(
        self, node: dict[str, Any], expected: np.ndarray, way: str
    ) -> None:
        close(node[way], expected)

    def test_dimensions(self, node: dict[str, Any], expected: np.ndarray) -> None:
        close(node["short"], shortened(expected, 16))

    def test_model_usage_and_order(self, node: dict[str, Any]) -> None:
        assert node["model"] == F32
        assert node["usage"]["prompt_tokens"] == node["usage"]["total_tokens"] > 200
        assert node["indices"] == [0, 1, 2]

    def test_models_are_listed_and_retrieved_by_an_encoded_name(self, node: dict[str, Any]) -> None:
        assert F32 in node["listed"]
        assert node["retrieved"] == F32
        assert "%2F" in node["retrievedAt"]

    def test_mistakes_are_told_once_and_in_words(self, node: dict[str, Any]) -> None:
        unknown, empty, too_long = node["unknown"], node["empty"], node["tooLong"]
        assert (unknown["status"], unknown["code"]) == (404, "model_not_found")
        assert unknown["requests"] == 1
        assert unknown["requestID"]
        assert (empty["status"], empty["param"]) == (400, "input")
        assert too_long["code"] == "context_length_exceeded"
        assert "maximum context length is 256 tokens" in too_long["message"]


@pytest.fixture(scope="module")
def llama_python(client_python: Any) -> Path:
    python: Path = client_python("llama_index", ["llama-index-embeddings-openai"])
    return python


@pytest.fixture(scope="module")
def langchain(ask: Any, client_python: Any, llama_python: Path) -> dict[str, Any]:
    python = client_python("langchain", ["langchain-openai", "langchain-community", "faiss-cpu"])
    # tiktoken downloads its vocabulary when it is first used; llama-index's wheel brings it along.
    (core,) = llama_python.parent.parent.glob("lib/python*/site-packages/llama_index/core")
    cache = {"TIKTOKEN_CACHE_DIR": str(core / "_static" / "tiktoken_cache")}
    return ask([python, CLIENTS / "langchain.py"], cache)


class TestLangChain:
    @pytest.mark.parametrize("way", ["documents", "awaited"])
    def test_texts_give_the_same_vectors(
        self, langchain: dict[str, Any], expected: np.ndarray, way: str
    ) -> None:
        close(langchain[way], expected)

    def test_a_query_and_dimensions(self, langchain: dict[str, Any], expected: np.ndarray) -> None:
        close(langchain["query"], expected[0])
        close(langchain["short"], shortened(expected, 16)[0])

    def test_a_thousand_texts_keep_their_order(
        self, langchain: dict[str, Any], server: Any
    ) -> None:
        close(langchain["thousand"], server.embed(F32, [f"text {i}" for i in range(0, 1000, 333)]))

    def test_an_empty_document_works_with_the_default_settings(
        self, langchain: dict[str, Any], server: Any
    ) -> None:
        close(langchain["empty_by_default"], server.embed(F32, ""))

    def test_foreign_token_ids_are_refused_with_the_way_out(
        self, langchain: dict[str, Any]
    ) -> None:
        status, message = langchain["ids_by_default"]
        assert status == 400
        assert "outside this model's vocabulary (30522)" in message
        assert "check_embedding_ctx_length=False" in message

    def test_an_unknown_model_is_told_in_words(self, langchain: dict[str, Any]) -> None:
        status, message = langchain["unknown"]
        assert status == 404
        assert "'gone' does not exist" in message


@pytest.fixture(scope="module")
def llama(ask: Any, llama_python: Path) -> dict[str, Any]:
    return ask([llama_python, CLIENTS / "llama_index_openai.py"])


class TestLlamaIndex:
    @pytest.mark.parametrize("way", ["documents", "awaited"])
    def test_texts_give_the_same_vectors(
        self, llama: dict[str, Any], expected: np.ndarray, way: str
    ) -> None:
        close(llama[way], expected)

    def test_a_query_and_dimensions(self, llama: dict[str, Any], expected: np.ndarray) -> None:
        close(llama["query"], expected[0])
        close(llama["short"], shortened(expected, 16)[0])

    def test_batches_of_100_with_newlines(self, llama: dict[str, Any], server: Any) -> None:
        # The client writes spaces for newlines.
        lines = [f"line one of {i} line two of {i}" for i in range(0, 250, 83)]
        close(llama["lines"], server.embed(F32, lines))

    def test_an_unknown_model_is_told_in_words(self, llama: dict[str, Any]) -> None:
        status, message = llama["unknown"]
        assert status == 404
        assert "'gone' does not exist" in message


@pytest.fixture(scope="module")
def litellm(ask: Any, client_python: Any) -> dict[str, Any]:
    python = client_python("litellm", ["litellm"])
    return ask([python, CLIENTS / "litellm_openai.py"], {"LITELLM_LOCAL_MODEL_COST_MAP": "True"})


class TestLiteLLM:
    @pytest.mark.parametrize("way", ["documents", "floats"])
    def test_texts_give_the_same_vectors(
        self, litellm: dict[str, Any], expected: np.ndarray, way: str
    ) -> None:
        close(litellm[way], expected)

    def test_dimensions(self, litellm: dict[str, Any], expected: np.ndarray) -> None:
        close(litellm["short"], shortened(expected, 16)[:1])

    def test_model_and_usage(self, litellm: dict[str, Any]) -> None:
        assert litellm["model"] == F32
        prompt, total = litellm["usage"]
        assert prompt == total > 200

    def test_a_long_text_is_what_litellm_calls_a_context_window_error(
        self, litellm: dict[str, Any]
    ) -> None:
        assert litellm["too_long"][0] == "ContextWindowExceededError"

    def test_an_unknown_model_is_what_litellm_calls_not_found(
        self, litellm: dict[str, Any]
    ) -> None:
        assert litellm["unknown"][0] == "NotFoundError"
        assert "'gone' does not exist" in litellm["unknown"][1]


@pytest.fixture(scope="module")
def haystack(ask: Any, client_python: Any) -> dict[str, Any]:
    python = client_python("haystack", ["haystack-ai"])
    return ask([python, CLIENTS / "haystack_openai.py"], {"HAYSTACK_TELEMETRY_ENABLED": "False"})


class TestHaystack:
    def test_documents_give_the_same_vectors(
        self, haystack: dict[str, Any], expected: np.ndarray
    ) -> None:
        close(haystack["documents"], expected)

    def test_a_query_and_dimensions(self, haystack: dict[str, Any], expected: np.ndarray) -> None:
        close(haystack["query"], expected[0])
        close(haystack["short"], shortened(expected, 16)[0])

    def test_the_usage_of_all_batches_is_added_up(
        self, haystack: dict[str, Any], server: Any
    ) -> None:
        texts = [f"document number {i}" for i in range(100)]
        _, whole = server.post("/v3/embeddings", {"model": F32, "input": texts})
        assert haystack["many_meta"]["usage"] == whole["usage"]
        assert haystack["many_meta"]["model"] == F32
        close(haystack["many"], server.embed(F32, texts)[::33])

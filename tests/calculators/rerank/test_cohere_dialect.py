"""Cohere's request body is read as its clients mean it, and what is wrong is named."""

import json
from typing import Any

import numpy as np
import pytest

from calcgraph.calculators.rerank import cohere_dialect
from calcgraph.calculators.rerank.values import Pairs, RerankQuery
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest

BODY = {"model": "m", "query": "q", "documents": ["a", "b", "c"]}
PAIRS = Pairs([np.zeros((2, 5), np.int64)] * 3, np.arange(3))
SCORES = np.array([0.25, 0.75, 0.5], np.float32)


def read(change: dict[str, Any], path: str = "/v3/rerank") -> RerankQuery:
    return cohere_dialect.read(HttpRequest(path, BODY | change), 5)[0]


def respond(change: dict[str, Any], path: str = "/v3/rerank", pairs: Pairs = PAIRS) -> Any:
    _, answer = cohere_dialect.read(HttpRequest(path, BODY | change), 5)
    return json.loads(answer.write(SCORES, pairs, "fp_1").body)


def test_the_answer_has_what_each_kind_of_client_reads() -> None:
    assert respond({}) == {
        "model": "m",
        "results": [
            {"index": 1, "relevance_score": 0.75},
            {"index": 2, "relevance_score": 0.5},
            {"index": 0, "relevance_score": 0.25},
        ],
        "usage": {"prompt_tokens": 15, "total_tokens": 15},
        "meta": {
            "api_version": {"version": "1"},
            "billed_units": {"search_units": 1},
            "tokens": {"input_tokens": 15},
        },
        "system_fingerprint": "fp_1",
    }


@pytest.mark.parametrize(
    "name",
    [
        "top_n",
        "return_documents",
        "rank_fields",
        "max_chunks_per_doc",
        "max_tokens_per_doc",
        "instruction",
    ],
)
def test_null_is_the_same_as_absent(name: str) -> None:
    assert respond({name: None}) == respond({})
    assert read({name: None}) == read({})


def test_fields_are_read() -> None:
    asked = read({"max_chunks_per_doc": 2, "max_tokens_per_doc": 9, "instruction": "find"})
    assert (asked.max_chunks, asked.max_tokens, asked.instruction) == (2, 9, "find")
    assert (asked.query, asked.documents) == ("q", ["a", "b", "c"])


@pytest.mark.parametrize(
    ("change", "param", "message"),
    [
        ({"query": None}, "query", "Missing required parameter: 'query'"),
        ({"query": 1}, "query", "must be a string, found 1"),
        ({"query": ["q"]}, "query", "must be a string, found an array"),
        ({"documents": None}, "documents", "Missing required parameter: 'documents'"),
        ({"documents": "a"}, "documents", "array of strings or objects"),
        ({"documents": {}}, "documents", "found an object"),
        ({"documents": []}, "documents", "must not be an empty array"),
        ({"documents": ["a"] * 6}, "documents", "5 elements at most, found 6"),
        ({"documents": ["a", 1]}, "documents", "'documents[1]' must be a string or an object"),
        ({"documents": ["a", None]}, "documents", "'documents[1]' must be a string or an object"),
        ({"documents": [{"title": "t"}]}, "documents", "'documents[0]' has no field 'text'"),
        ({"documents": [{"text": 1}]}, "documents", "'documents[0].text' must be a string"),
        ({"documents": [{"text": "a"}], "rank_fields": ["b"]}, "documents", "no field 'b'"),
        ({"rank_fields": "text"}, "rank_fields", "must be an array of names"),
        ({"rank_fields": []}, "rank_fields", "must be an array of names"),
        ({"rank_fields": [1]}, "rank_fields", "'rank_fields[0]' must be a string"),
        ({"top_n": 0}, "top_n", "at least 1, found 0"),
        ({"top_n": -1}, "top_n", "at least 1"),
        ({"top_n": 1.5}, "top_n", "must be an integer"),
        ({"top_n": "3"}, "top_n", "must be an integer"),
        ({"top_n": True}, "top_n", "must be an integer"),
        ({"return_documents": 1}, "return_documents", "must be true or false"),
        ({"max_chunks_per_doc": 0}, "max_chunks_per_doc", "at least 1"),
        ({"max_tokens_per_doc": []}, "max_tokens_per_doc", "must be an integer"),
        ({"instruction": 1}, "instruction", "must be a string"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], param: str, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(change)
    assert (raised.value.param, message in str(raised.value)) == (param, True), str(raised.value)


def test_what_was_not_read_is_in_the_answer() -> None:
    pairs = Pairs(PAIRS.sequences, PAIRS.owners, ["Only the beginning."])
    assert respond({}, pairs=pairs)["meta"]["warnings"] == ["Only the beginning."]


@pytest.mark.parametrize(
    ("path", "version", "has_id"),
    [
        ("/v3/rerank", "1", False),
        ("/v1/rerank", "1", True),
        ("/v3/v1/rerank", "1", True),
        ("/v2/rerank", "2", True),
        ("/v3/v2/rerank", "2", True),
    ],
)
def test_the_path_tells_the_version(path: str, version: str, has_id: bool) -> None:
    found = respond({}, path)
    assert found["meta"]["api_version"]["version"] == version
    assert ("id" in found) == has_id


def test_objects_join_their_fields_line_by_line() -> None:
    documents = [{"title": "T", "text": "X", "other": 1}, "plain"]
    assert read({"documents": documents}).documents == ["X", "plain"]
    fields = {"rank_fields": ["title", "text"]}
    assert read({"documents": documents, **fields}).documents == ["T\nX", "plain"]
    assert respond({"documents": [*documents, "c"], "return_documents": True})["results"][2] == {
        "index": 0,
        "relevance_score": 0.25,
        "document": documents[0],
    }

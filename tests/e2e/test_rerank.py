"""Reranking through a real server: every path, every kind of mistake, many clients at once."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import pytest

from calcgraph.tools.prepare import save_cross_encoder

from .conftest import Running, running

RERANKERS = Path(__file__).parents[1] / "data" / "rerankers"
EXACT = ("plugin_config: '{}'", 'plugin_config: \'{"INFERENCE_PRECISION_HINT": "f32"}\'')
PATHS = ["/v3/rerank", "/v1/rerank", "/v3/v1/rerank", "/v2/rerank", "/v3/v2/rerank"]
BODY = {
    "model": "reranker",
    "query": "When does the ferry leave?",
    "documents": ["at seven", "cat"],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The miniature XLM-R in OVMS's form, as OVMS's users start it."""
    folder = tmp_path_factory.mktemp("reranker") / "model"
    shutil.copytree(RERANKERS / "xlm-roberta", folder)
    save_cross_encoder(folder, "fp32")
    graph = files("calcgraph.graphs").joinpath("rerank_ovms.pbtxt").read_text("utf-8")
    assert EXACT[0] in graph
    (folder / "graph.pbtxt").write_text(graph.replace(*EXACT))
    flags = ["--model_name", "reranker", "--model_path", folder, "--rest_port", "0"]
    with running(folder.parent / "stderr", *flags) as server:
        yield server
        assert "Traceback" not in server.log


def expected() -> tuple[list[str], list[dict[str, Any]]]:
    """The documents that fit, and CrossEncoder's scores of them for each query that fits."""
    stored = json.loads((RERANKERS / "xlm-roberta" / "expected.json").read_text())
    return stored["documents"][:9], stored["cases"][:3]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_gives_cross_encoders_scores(served: Running, path: str) -> None:
    documents, cases = expected()
    for case in cases:
        body = {"model": "reranker", "query": case["query"], "documents": documents}
        status, answer = served.post(path, body)
        assert status == 200, answer
        for result in answer["results"]:
            wanted = case["scores"][result["index"]]
            assert result["relevance_score"] == pytest.approx(wanted, abs=1e-5)


def test_many_clients_at_once_each_get_their_own_ranking(served: Running) -> None:
    documents, cases = expected()

    def ask(i: int) -> float:
        case, some = cases[i % 3], documents[i % 5 :]
        body = {"model": "reranker", "query": case["query"], "documents": some}
        status, answer = served.post("/v3/rerank", body)
        assert status == 200, answer
        found = {r["index"]: r["relevance_score"] for r in answer["results"]}
        wanted = case["scores"][i % 5 : 9]
        return float(np.abs([found[k] - wanted[k] for k in range(len(some))]).max())

    with ThreadPoolExecutor(16) as clients:
        assert max(clients.map(ask, range(160))) <= 1e-5


@pytest.mark.parametrize(
    ("change", "param", "message"),
    [
        ({"query": None}, "query", "Missing required parameter: 'query'"),
        ({"documents": None}, "documents", "Missing required parameter: 'documents'"),
        ({"documents": []}, "documents", "empty"),
        ({"documents": "a"}, "documents", "array of strings or objects"),
        ({"documents": ["a", 7]}, "documents", "documents[1]"),
        ({"documents": [{"title": "a"}]}, "documents", "no field 'text'"),
        ({"documents": ["a"] * 10001}, "documents", "10000 elements at most, found 10001"),
        ({"top_n": 0}, "top_n", "at least 1"),
        ({"top_n": "1"}, "top_n", "integer"),
        ({"return_documents": "yes"}, "return_documents", "true or false"),
        ({"rank_fields": 1}, "rank_fields", "array"),
        ({"instruction": "find"}, "instruction", "models that read a prompt"),
    ],
)
@pytest.mark.parametrize("path", ["/v3/rerank", "/v2/rerank"])
def test_a_bad_field_is_named(
    served: Running, path: str, change: dict[str, Any], param: str, message: str
) -> None:
    status, answer = served.post(path, BODY | change)
    assert status == 400
    error = answer["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert message in error["message"]


def test_a_lone_surrogate_is_refused_and_the_server_is_well(served: Running) -> None:
    status, answer = served.post("/v3/rerank", json.dumps(BODY | {"query": "\ud800"}))
    assert status == 400, answer
    assert served.post("/v3/rerank", BODY)[0] == 200


def test_other_models_and_endpoints_are_told_apart(served: Running) -> None:
    status, answer = served.post("/v3/rerank", BODY | {"model": "other"})
    assert (status, answer["error"]["param"]) == (404, "model")
    status, answer = served.post("/v3/embeddings", {"model": "reranker", "input": "x"})
    assert status == 400
    assert "it answers /v3/rerank" in answer["error"]["message"]
    status, answer = served.get("/v2/rerank")
    assert status == 405


def test_the_model_tells_its_inputs_and_outputs(served: Running) -> None:
    status, answer = served.get("/v2/models/reranker")
    assert status == 200
    assert [tensor["name"] for tensor in answer["inputs"]] == ["query", "documents"]
    assert [tensor["name"] for tensor in answer["outputs"]] == ["scores"]
    tensors = [
        {"name": "query", "shape": [1], "datatype": "BYTES", "data": [BODY["query"]]},
        {"name": "documents", "shape": [2], "datatype": "BYTES", "data": BODY["documents"]},
    ]
    status, answer = served.post("/v2/models/reranker/infer", {"inputs": tensors})
    assert status == 200, answer
    status, ranked = served.post("/v3/rerank", BODY)
    scores = {r["index"]: r["relevance_score"] for r in ranked["results"]}
    assert answer["outputs"][0]["data"] == pytest.approx([scores[0], scores[1]], abs=1e-6)


COHERE = """
import cohere, json, sys
url = sys.argv[1]
documents = ["at seven", "cat"]
for client in (cohere.Client("key", base_url=url), cohere.ClientV2("key", base_url=url)):
    answer = client.rerank(model="reranker", query="When does the ferry leave?", documents=documents, top_n=1)
    print(json.dumps([answer.results[0].index, answer.results[0].relevance_score]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("base", ["", "/v3"])
def test_coheres_own_client_ranks(
    served: Running, client_python: Callable[[str, Sequence[str]], Path], base: str
) -> None:
    python = client_python("cohere", ["cohere>=5"])
    done = run(
        [python, "-c", COHERE, f"http://{served.rest}{base}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    best = served.post("/v3/rerank", BODY)[1]["results"][0]
    assert len(done.stdout.splitlines()) == 2
    for line in done.stdout.splitlines():
        assert json.loads(line) == [best["index"], pytest.approx(best["relevance_score"], abs=1e-6)]

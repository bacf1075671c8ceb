"""The shipped rerank graphs: scores equal to sentence-transformers', options that do what they say."""

import asyncio
import json
import shutil
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer
from calcgraph.runtime.errors import Code, GraphError, RequestError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import HttpResponse, Tensor
from calcgraph.tools.prepare import save_cross_encoder

from .conftest import F32, Model, edited

RERANKERS = Path(__file__).parents[1] / "data" / "rerankers"
FAMILIES = sorted(path.name for path in RERANKERS.iterdir())
FIVE_NODES = files("calcgraph.graphs").joinpath("rerank.pbtxt").read_text("utf-8")
ONE_NODE = files("calcgraph.graphs").joinpath("rerank_ovms.pbtxt").read_text("utf-8")
EXACT = edited(FIVE_NODES, F32)
CUT = ("long_documents: CHUNK", "long_documents: TRUNCATE")
FEW_AND_SHORT = edited(EXACT, ("max_allowed_chunks: 10000", "max_allowed_chunks: 3 max_length: 48"))
FEW_AND_SHORT_ONE_NODE = edited(
    ONE_NODE,
    F32,
    (
        'models_path: "./"',
        'models_path: "./" max_allowed_chunks: 3 max_position_embeddings: 48',
    ),
)

Scores = NDArray[np.float32]


class Loader(Protocol):
    def __call__(self, family: str, graph: str = EXACT) -> Model: ...


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each miniature as a folder to serve; those that come as safetensors are built without torch."""
    root = tmp_path_factory.mktemp("rerankers")
    folders = {}
    for family in FAMILIES:
        folders[family] = root / family
        shutil.copytree(RERANKERS / family, root / family)
        if not (root / family / "openvino_model.xml").exists():
            save_cross_encoder(root / family, "fp32")
    return folders


@pytest.fixture(scope="module")
def load(prepared: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    """Load a miniature with a graph of the test's own; the same twice is loaded once."""
    models: dict[tuple[str, str], Model] = {}
    with asyncio.Runner() as runner:

        def load_graph(family: str, graph: str = EXACT) -> Model:
            if (family, graph) not in models:
                folder = tmp_path_factory.mktemp("model")
                for path in prepared[family].iterdir():
                    (folder / path.name).symlink_to(path)
                (folder / "graph.pbtxt").write_text(graph)
                executor = runner.run(GraphExecutor.open("m", folder / "graph.pbtxt"))
                models[family, graph] = Model(runner, executor).settle()
            return models[family, graph]

        yield load_graph
        for model in models.values():
            runner.run(model.executor.close())


def expected(family: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The documents, and what CrossEncoder makes of them for each query."""
    stored = json.loads((RERANKERS / family / "expected.json").read_text())
    return stored["documents"], stored["cases"]


def ask(model: Model, query: str, documents: list[Any], **body: Any) -> HttpResponse:
    return model.post("/v3/rerank", {"query": query, "documents": documents, **body})


def answer(model: Model, query: str, documents: list[Any], **body: Any) -> Any:
    return json.loads(ask(model, query, documents, **body).body)


def scores(model: Model, query: str, documents: list[Any], **body: Any) -> Scores:
    """In the order of the documents."""
    results = answer(model, query, documents, **body)["results"]
    by_index = {result["index"]: result["relevance_score"] for result in results}
    return np.array([by_index[i] for i in range(len(documents))], np.float32)


def sigmoid(logits: Any) -> Scores:
    return (1 / (1 + np.exp(-np.asarray(logits, np.float64)))).astype(np.float32)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_equal_those_of_cross_encoder(load: Loader, family: str) -> None:
    documents, cases = expected(family)
    model = load(family, edited(EXACT, CUT))
    for case in cases:
        found = answer(model, case["query"], documents)
        assert found["usage"]["prompt_tokens"] == sum(case["tokens"])
        indexes = [result["index"] for result in found["results"]]
        assert indexes == list(np.argsort(-np.array(case["logits"]), kind="stable"))
        values = [result["relevance_score"] for result in found["results"]]
        np.testing.assert_allclose(values, sigmoid(case["logits"])[indexes], atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_activation_model_gives_cross_encoders_own_numbers(load: Loader, family: str) -> None:
    model = load(family, edited(EXACT, CUT, ("activation: SIGMOID", "activation: MODEL")))
    documents, [case, *_] = expected(family)
    np.testing.assert_allclose(
        scores(model, case["query"], documents), case["scores"], rtol=1e-5, atol=2e-5
    )


def test_demand_5_a_bert_cross_encoder_is_told_query_from_document_by_token_types(
    load: Loader, prepared: dict[str, Path]
) -> None:
    documents, [case, *_] = expected("bert")
    short = [i for i, tokens in enumerate(case["tokens"]) if tokens < 96]
    found = scores(load("bert"), case["query"], documents)
    np.testing.assert_allclose(found[short], sigmoid(case["logits"])[short], atol=1e-5)
    pairs = _pairs(prepared["bert"], case["query"], [documents[i] for i in short])
    untyped = _logits(prepared["bert"], [pair * [[1], [0]] for pair in pairs])
    assert np.abs(sigmoid(untyped) - found[short]).min() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_pairs_share_rows_wherever_a_single_token_is_scored(load: Loader, family: str) -> None:
    details = load(family, edited(EXACT, CUT)).executor.metadata.details
    scores_the_mean = family == "modernbert-mean"
    assert details["inference_path"] == ("bucketed" if scores_the_mean else "packed")


def test_a_pair_scores_alone_as_in_company(load: Loader) -> None:
    documents, cases = expected("xlm-roberta")
    model = load("xlm-roberta")
    for case in cases[:2]:
        together = scores(model, case["query"], documents)
        alone = [scores(model, case["query"], [document])[0] for document in documents]
        np.testing.assert_allclose(together, alone, atol=1e-5)


def test_both_forms_of_the_graph_answer_with_the_same_bytes(load: Loader) -> None:
    documents, cases = expected("bert")
    one_node = load("bert", edited(ONE_NODE, F32))
    for case in cases:
        body = {"return_documents": True, "top_n": 7}
        first = ask(load("bert"), case["query"], documents[:9], **body).body
        assert ask(one_node, case["query"], documents[:9], **body).body == first


def test_default_precision_keeps_the_order_of_what_differs(load: Loader) -> None:
    documents, [case, *_] = expected("roberta")
    exact = scores(load("roberta"), case["query"], documents)
    rounded = scores(load("roberta", FIVE_NODES), case["query"], documents)
    np.testing.assert_allclose(rounded, exact, atol=5e-2)


# Long documents


def _pairs(folder: Path, query: str, documents: list[str]) -> list[NDArray[np.int64]]:
    tokenizer = ModelTokenizer.open(folder)
    assert tokenizer.reference is not None
    layout = tokenizer.reference.pair_layout()
    first, *rest = tokenizer.encode([query, *documents], add_special_tokens=False)
    return [layout.join(first, ids) for ids in rest]


def _logits(folder: Path, pairs: Iterable[NDArray[np.int64]]) -> list[float]:
    """Of the model as it is on disk, one pair at a time."""
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    model = ov.Core().compile_model(folder / "openvino_model.xml", "CPU", config)
    request = model.create_infer_request()
    found = []
    for ids, types in pairs:
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        names = [port.get_any_name() for port in model.inputs]
        request.start_async({name: feeds[name][None] for name in names})
        request.wait()
        found.append(float(request.get_output_tensor().data[0, 0]))
    return found


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_long_document_has_the_score_of_its_best_window(
    load: Loader, prepared: dict[str, Path], family: str
) -> None:
    query, long = "When does the ferry leave?", "cat dog mat seven noon ferry " * 30
    tokenizer = ModelTokenizer.open(prepared[family])
    assert tokenizer.reference is not None
    layout = tokenizer.reference.pair_layout()
    first, rest = tokenizer.encode([query, long], add_special_tokens=False)
    width = 96 - len(layout) - len(first)
    windows = [layout.join(first, rest[i : i + width]) for i in range(0, len(rest), width)]
    assert len(windows) >= 3
    logits = _logits(prepared[family], windows)
    found = answer(load(family), query, ["short", long])
    by_index = {result["index"]: result["relevance_score"] for result in found["results"]}
    assert by_index[1] == pytest.approx(float(sigmoid(max(logits))), abs=1e-5)
    assert "warnings" not in found["meta"]


def test_a_prompts_windows_keep_its_question_and_its_end(load: Loader) -> None:
    model = load("qwen3")
    found = answer(model, "ferry?", ["cat " * 1000])
    windows = -(-found["usage"]["prompt_tokens"] // 384)
    assert windows > 2
    assert found["usage"]["prompt_tokens"] > 1000 + 60 * windows


def test_what_is_not_read_is_said(load: Loader) -> None:
    long = "The harbour master logs every ship. " * 40
    model = load("bert")
    found = answer(model, "ferry?", ["short", long], max_chunks_per_doc=1)
    assert found["meta"]["warnings"] == ["Only the beginning was read of documents[1]."]
    found = answer(model, long, ["short"])
    [warning] = found["meta"]["warnings"]
    assert warning.startswith("Of the query's ")
    assert warning.endswith("tokens the first 48 were read.")
    assert answer(model, "ferry?", [long], max_tokens_per_doc=5)["usage"]["prompt_tokens"] < 20


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (["a", "b", "c", "d"], "4 documents make as many chunks at least, this model takes 3"),
        (["a", "cat " * 300], "The documents make more than 3 chunks"),
    ],
)
@pytest.mark.parametrize("graph", [FEW_AND_SHORT, FEW_AND_SHORT_ONE_NODE])
def test_more_chunks_than_allowed_are_refused(
    load: Loader, graph: str, documents: list[str], message: str
) -> None:
    model = load("bert", graph)
    with pytest.raises(RequestError, match=message) as raised:
        answer(model, "ferry?", documents)
    assert (raised.value.param, raised.value.reason) == ("documents", "too_many_chunks")
    assert len(scores(model, "ferry?", ["a", "b", "c"])) == 3


def test_ovms_max_position_embeddings_is_the_longest_pair(load: Loader) -> None:
    tokens = [
        answer(load("bert", graph), "ferry?", ["cat " * 60])["usage"]["prompt_tokens"]
        for graph in (EXACT, FEW_AND_SHORT, FEW_AND_SHORT_ONE_NODE)
    ]
    assert tokens[0] < tokens[1] == tokens[2]


# What the answer holds


def test_the_best_come_first_and_no_more_than_asked_for(load: Loader) -> None:
    documents, [case, *_] = expected("roberta")
    all_of_them = answer(load("roberta"), case["query"], documents)["results"]
    values = [result["relevance_score"] for result in all_of_them]
    assert values == sorted(values, reverse=True)
    assert answer(load("roberta"), case["query"], documents, top_n=3)["results"] == all_of_them[:3]
    many = answer(load("roberta"), case["query"], documents, top_n=1000)["results"]
    assert many == all_of_them


def test_equal_scores_keep_the_order_of_the_request(load: Loader) -> None:
    found = answer(load("bert"), "ferry?", ["cat", "cat", "seven", "cat"])["results"]
    cats = [result["index"] for result in found if result["index"] != 2]
    assert cats == [0, 1, 3]


def test_documents_come_back_as_they_were_sent(load: Loader) -> None:
    sent: list[Any] = ["cat", {"title": "Fish", "text": "seven"}]
    found = answer(load("bert"), "ferry?", sent, return_documents=True)["results"]
    by_index = {result["index"]: result["document"] for result in found}
    assert by_index == {0: {"text": "cat"}, 1: sent[1]}
    assert all("document" not in r for r in answer(load("bert"), "ferry?", sent)["results"])


def test_objects_are_ranked_by_the_fields_that_are_named(load: Loader) -> None:
    sent = [{"title": "Fish", "text": "seven"}]
    model = load("bert")
    assert scores(model, "ferry?", sent) == scores(model, "ferry?", ["seven"])
    both = scores(model, "ferry?", sent, rank_fields=["title", "text"])
    assert both == scores(model, "ferry?", ["Fish\nseven"])
    assert both != scores(model, "ferry?", ["seven"])


@pytest.mark.parametrize(("path", "version"), [("/v1/rerank", "1"), ("/v2/rerank", "2")])
def test_coheres_own_paths_answer_with_an_id_and_a_version(
    load: Loader, path: str, version: str
) -> None:
    body = {"query": "ferry?", "documents": ["cat"] * 101}
    found = json.loads(load("bert").post(path, body).body)
    again = json.loads(load("bert").post(path, body).body)
    assert found["id"] != again["id"]
    assert found["meta"]["api_version"] == {"version": version}
    assert found["meta"]["billed_units"] == {"search_units": 2}
    assert found["results"] == again["results"]


def test_the_fingerprint_is_in_the_answer_and_can_be_expected(load: Loader) -> None:
    model = load("bert")
    response = ask(model, "ferry?", ["cat"])
    fingerprint = json.loads(response.body)["system_fingerprint"]
    assert fingerprint == response.headers["x-system-fingerprint"]
    assert answer(model, "ferry?", ["cat"], expected_fingerprint=fingerprint)["results"]
    with pytest.raises(RequestError) as raised:
        answer(model, "ferry?", ["cat"], expected_fingerprint="fp_0")
    assert raised.value.code is Code.ABORTED
    body = {"query": "ferry?", "documents": ["cat"]}
    with pytest.raises(RequestError, match="fp_0"):
        model.post("/v3/rerank", body, x_expected_fingerprint="fp_0")
    other = answer(load("bert", edited(EXACT, CUT)), "ferry?", ["cat"])["system_fingerprint"]
    assert other != fingerprint


def test_tensors_in_scores_out(load: Loader) -> None:
    documents, [case, *_] = expected("bert")
    model = load("bert")
    names = [("query", [case["query"]]), ("documents", documents)]
    tensors = [
        Tensor(name, "BYTES", np.array([text.encode() for text in texts], object))
        for name, texts in names
    ]
    response = model.infer(*tensors)
    [output] = response.outputs
    assert (output.name, output.datatype) == ("scores", "FP32")
    np.testing.assert_array_equal(output.data, scores(model, case["query"], documents))
    assert [spec.name for spec in model.executor.metadata.inputs] == ["query", "documents"]
    assert [spec.name for spec in model.executor.metadata.outputs] == ["scores"]


@pytest.mark.parametrize("lane", ["interactive", "bulk"])
def test_a_request_is_inferred_in_the_lane_it_asks_for_and_measured(
    load: Loader, lane: str
) -> None:
    model = load("bert")

    def texts() -> float:
        (value,) = (
            each.value
            for each in model.executor.measurements()
            if each.name == "engine_texts" and each.labels.get("lane") == lane
        )
        return value

    before = texts()
    body = {"query": "ferry?", "documents": ["cat", "seven"]}
    model.post("/v3/rerank", body, x_priority=lane)
    assert texts() - before == 2


# Prompts


def test_an_instruction_takes_the_place_of_the_usual_one(load: Loader) -> None:
    documents, [case, *_] = expected("qwen3")
    model = load("qwen3")
    usual = scores(model, case["query"], documents[:3])
    told = "Given a web search query, retrieve relevant passages that answer the query"
    same = scores(model, case["query"], documents[:3], instruction=told)
    np.testing.assert_array_equal(same, usual)
    other = scores(model, case["query"], documents[:3], instruction="Find cats")
    assert np.abs(other - usual).min() > 1e-4
    written = edited(EXACT, ("long_documents", 'instruction: "Find cats" long_documents'))
    np.testing.assert_array_equal(
        scores(load("qwen3", written), case["query"], documents[:3]), other
    )


def test_a_model_that_reads_pairs_takes_no_instruction(load: Loader) -> None:
    with pytest.raises(
        RequestError, match="'instruction' is for models that read a prompt"
    ) as raised:
        answer(load("bert"), "ferry?", ["cat"], instruction="Find cats")
    assert raised.value.param == "instruction"


def test_a_prompt_that_the_caller_made_is_taken_as_it_is(load: Loader) -> None:
    """As OVMS has it: the query holds all that comes before the document, which holds all that follows."""
    before = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
        'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
        "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n"
        "<Query>: ferry?\n"
    )
    after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    texts = ["cat", "seven"]
    made = [f"<Document>: {text}{after}" for text in texts]
    found = scores(load("qwen3"), before, made)
    np.testing.assert_array_equal(found, scores(load("qwen3"), "ferry?", texts))


def test_a_prompt_can_be_written_into_the_graph(load: Loader) -> None:
    prompt = 'prompt: "{query} {document}" prompt_suffix: " yes" long_documents'
    model = load("bert", edited(EXACT, ("long_documents", prompt)))
    assert answer(model, "ferry", ["cat", "{query}"])["results"]


# Mistakes


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("long_documents", "max_length: 97 long_documents"), "max_length is 97"),
        (
            ("long_documents", "max_length: 10 long_documents"),
            "max_length is 10: 3 tokens go around",
        ),
        (("long_documents", "overlap: 50 long_documents"), "overlap is 50; expected at most 24"),
        (("long_documents: CHUNK", "long_documents: SKIP"), "CHUNK"),
        (("long_documents", 'prompt: "{query}" long_documents'), "prompt holds {document} 0 times"),
        (
            ("long_documents", 'prompt: "{query}{document}!" long_documents'),
            "prompt does not end in {document}",
        ),
        (
            ("long_documents", 'instruction: "x" long_documents'),
            "instruction is set, but no prompt",
        ),
        (
            ("target_device", "max_position_embeddings: 48 target_device"),
            "here PairTokenizerOptions has max_length",
        ),
        (('target_device: "CPU"', 'target_device: "TPU"'), "device 'TPU' is not available"),
        (("activation: SIGMOID", "activation: SOFTMAX"), "SIGMOID"),
        (
            ('models_path: "./"\n      target', 'models_path: "./gone"\n      target'),
            "there is no such file",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_place(
    load: Loader, edit: tuple[str, str], message: str
) -> None:
    with pytest.raises(GraphError) as raised:
        load("bert", edited(EXACT, edit))
    assert "graph.pbtxt:" in str(raised.value)
    assert message in str(raised.value)


def test_an_encoder_is_no_reranker(minilm: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "openvino_model.xml", "openvino_model.bin"):
        (tmp_path / name).symlink_to(minilm / name)
    (tmp_path / "graph.pbtxt").write_text(FIVE_NODES)
    with (
        asyncio.Runner() as runner,
        pytest.raises(GraphError, match="gives 384 numbers a token: these are no logits of words"),
    ):
        runner.run(GraphExecutor.open("m", tmp_path / "graph.pbtxt"))


def test_another_endpoint_is_pointed_to_rerank(load: Loader) -> None:
    with pytest.raises(RequestError, match="it answers /v3/rerank, and not /v3/embeddings"):
        load("bert").post("/v3/embeddings", {"input": "x"})

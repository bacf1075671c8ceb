"""The shipped embeddings graphs: vectors equal to sentence-transformers', options that do what they say."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from calcgraph.runtime.errors import GraphError, RequestError

from .conftest import F32, ONE_NODE, SIX_NODES, Loader, Model, edited

DATA = Path(__file__).parent.parent / "data"
STSB = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "stsb" / "en-dev.csv"
CUT = ("truncate: false", "truncate: true")


@pytest.fixture(scope="module")
def goldens() -> dict[str, Any]:
    """Texts, and what sentence-transformers makes of them."""
    parsed = json.loads((DATA / "minilm_goldens.json").read_text())
    return {**parsed, **np.load(DATA / "minilm_goldens.npz")}


@pytest.fixture(scope="module")
def exact(load: Loader) -> Model:
    return load(edited(SIX_NODES, F32, CUT))


@pytest.fixture(scope="module")
def default(load: Loader) -> Model:
    return load(edited(SIX_NODES, CUT))


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    dots: NDArray[np.float32] = (
        (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    )
    return dots


def test_in_f32_the_vectors_equal_sentence_transformers(exact: Model, goldens: Any) -> None:
    vectors = exact.embed(goldens["texts"])
    assert np.abs(vectors - goldens["mean_normalized"]).max() <= 1e-5


def test_in_default_precision_they_point_the_same_way(default: Model, goldens: Any) -> None:
    vectors = default.embed(goldens["texts"])
    assert cosines(vectors, goldens["mean_normalized"]).min() >= 0.9995


def test_each_text_alone_gives_the_vector_it_has_in_company(exact: Model, goldens: Any) -> None:
    together = exact.embed(goldens["texts"])
    alone = np.concatenate([exact.embed(text) for text in goldens["texts"]])
    assert np.abs(together - alone).max() <= 1e-5


def test_token_ids_give_the_vector_of_their_text(exact: Model, goldens: Any) -> None:
    by_ids = exact.embed(goldens["token_ids"])
    assert np.abs(by_ids - goldens["mean_normalized"]).max() <= 1e-5


def test_usage_counts_the_tokens_special_ones_included(exact: Model, goldens: Any) -> None:
    usage = json.loads(exact.ask(goldens["texts"]))["usage"]
    assert usage["prompt_tokens"] == sum(map(len, goldens["token_ids"]))


def test_similarity_ranks_the_sts_benchmark_as_the_reference_does(
    default: Model, goldens: Any
) -> None:
    if not STSB.exists():
        pytest.skip(f"{STSB} is not here: the STS benchmark's English dev split")
    stats = pytest.importorskip("scipy.stats")
    with STSB.open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == 3]
    first, second, scores = zip(*rows, strict=True)
    vectors = [
        np.concatenate([default.embed(list(texts[i : i + 500])) for i in range(0, len(texts), 500)])
        for texts in (first, second)
    ]
    spearman = stats.spearmanr(cosines(*vectors), [float(score) for score in scores]).statistic
    assert spearman == pytest.approx(goldens["stsb_dev_spearman"], abs=1e-3)


@pytest.mark.parametrize(
    ("edits", "reference"),
    [
        ([("pooling: MEAN", "pooling: CLS")], "cls_normalized"),
        ([("enabled: true", "enabled: false")], "mean"),
        ([("pooling: MEAN", "pooling: CLS"), ("enabled: true", "enabled: false")], "cls"),
    ],
)
def test_pooling_and_normalization_follow_the_graph(
    load: Loader, goldens: Any, edits: list[tuple[str, str]], reference: str
) -> None:
    vectors = load(edited(SIX_NODES, F32, CUT, *edits)).embed(goldens["texts"])
    np.testing.assert_allclose(vectors, goldens[reference], atol=2e-5)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_both_forms_of_the_graph_answer_with_the_same_bytes(
    load: Loader, exact: Model, goldens: Any, encoding: str
) -> None:
    one_node = load(edited(ONE_NODE, F32, CUT)).settle()
    exact.settle()
    for text in [goldens["texts"][:8], goldens["texts"][20]]:
        assert one_node.ask(text, encoding_format=encoding) == exact.ask(
            text, encoding_format=encoding
        )


def test_pooling_outside_the_compiled_model_gives_the_same_vectors(
    load: Loader, exact: Model, goldens: Any
) -> None:
    tap = """
        node {
          calculator: "PassThroughCalculator"
          input_stream: "token_embeddings"
          output_stream: "tapped"
        }
        """
    unfused = load(edited(SIX_NODES, F32, CUT) + tap)
    difference = unfused.embed(goldens["texts"]) - exact.embed(goldens["texts"])
    assert np.abs(difference).max() <= 1e-6


def test_a_text_that_is_too_long_is_refused_unless_the_graph_cuts_it(
    load: Loader, default: Model
) -> None:
    long = "word " * 300
    with pytest.raises(RequestError) as raised:
        load(SIX_NODES).ask(["short", long])
    assert "maximum context length is 256 tokens, however input[1] has 302 tokens" in str(
        raised.value
    )
    assert (raised.value.param, raised.value.reason) == ("input", "context_length_exceeded")
    np.testing.assert_allclose(default.embed(long), default.embed("word " * 254), atol=2e-2)


def test_a_shorter_limit_can_be_set(load: Loader) -> None:
    model = load(
        edited(
            SIX_NODES,
            (
                'models_path: "./"\n      truncate',
                'max_length: 8 models_path: "./"\n      truncate',
            ),
        )
    )
    with pytest.raises(RequestError, match="maximum context length is 8 tokens"):
        model.ask("one two three four five six seven")


@pytest.mark.parametrize("ids", [[30522], [-1], [101, 10**9, 102]])
def test_a_token_id_outside_the_vocabulary_is_refused(default: Model, ids: list[int]) -> None:
    with pytest.raises(RequestError, match=r"outside this model's vocabulary \(30522\)") as raised:
        default.ask([[101, 102], ids])
    assert raised.value.param == "input"
    assert default.embed("still well").shape == (1, 384)


def test_the_device_may_be_auto(load: Loader, default: Model) -> None:
    automatic = load(edited(SIX_NODES, ('target_device: "CPU"', 'target_device: "AUTO"')))
    assert cosines(automatic.embed("hello"), default.embed("hello")).min() >= 0.9999


@pytest.mark.parametrize(
    ("edit", "line_of", "message"),
    [
        (('target_device: "CPU"', 'target_device: "TPU"'), "EmbeddingsCalculatorOV", "CPU"),
        (
            ('models_path: "./"\n      target', 'models_path: "./gone"\n      target'),
            "Embedd",
            "gone",
        ),
        (("plugin_config: '{}'", "plugin_config: '{'"), "Embedd", "JSON"),
        (("plugin_config: '{}'", "plugin_config: '[]'"), "Embedd", "JSON object"),
        (("plugin_config: '{}'", "plugin_config: '{\"NUM_STREAM\": 1}'"), "Embedd", "NUM_STREAMS"),
        (("pooling: MEAN", "pooling: MAX"), "pooling:", "MEAN"),
        (("pooling: MEAN", ""), "Pooling", "CLS, LAST or MEAN"),
        (("truncate: false", "truncate: maybe"), "truncate:", "maybe"),
        (("truncate: false", "trunkate: true"), "trunkate", "truncate"),
        (("truncate: false", "max_length: 1000"), "Tokenizer", "between 1 and 256"),
        (('calculator: "Pooling"', 'calculator: "Poling"'), "Poling", "Pooling"),
        (('"EMBEDDINGS:pooled"\n  output', '"EMBEDDINGS:poled"\n  output'), "poled", "pooled"),
    ],
)
def test_a_wrong_option_is_named_with_its_place(
    load: Loader, edit: tuple[str, str], line_of: str, message: str
) -> None:
    graph = edited(SIX_NODES, edit)
    with pytest.raises(GraphError) as raised:
        load(graph)
    text = str(raised.value)
    assert "graph.pbtxt:" in text
    assert message in text
    line = int(text.split("graph.pbtxt:")[1].split(":")[0])
    near = graph.splitlines()[max(0, line - 4) : line + 3]
    assert any(line_of in candidate for candidate in near), (text, near)


def test_the_model_describes_itself(exact: Model) -> None:
    """KServe E1."""
    metadata = exact.executor.metadata
    assert metadata.details["dimensions"] == 384
    assert metadata.details["max_tokens"] == 256
    assert metadata.details["pooling"] == "MEAN"
    assert metadata.details["normalized"] is True
    [spec] = metadata.inputs
    assert (spec.name, spec.datatype, spec.shape) == ("input", "BYTES", (-1,))
    [spec] = metadata.outputs
    assert (spec.name, spec.datatype, spec.shape) == ("embeddings", "FP32", (-1, 384))

"""Every model family, exported by the real command and served by the real server, gives torch's answers.

The miniatures are written and exported by an environment of their own, which has torch. When all families were
measured in one run, docs/families.md is written.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from .conftest import ROOT, Running, running

pytestmark = pytest.mark.slow

REQUIREMENTS = ROOT / "benchmarks" / "families" / "requirements.txt"
MINIATURES = ROOT / "benchmarks" / "families" / "miniatures.py"
TABLE = ROOT / "docs" / "families.md"
FORMATS = ("fp32", "int8")
EXACT = '{"INFERENCE_PRECISION_HINT": "f32"}'

# Each with published models that it stands for.
EMBEDDERS = {
    "bert": "bge-large-en, bge-large-zh, gte-small, mxbai-embed",
    "bert-mean": "all-MiniLM-L12-v2",
    "bert-unigram": "multilingual-e5-small",
    "distilbert": "msmarco-distilbert",
    "roberta": "all-distilroberta-v1",
    "xlm-roberta": "multilingual-e5-large, bge-m3",
    "mpnet": "all-mpnet-base-v2",
    "nomic_bert": "nomic-embed-text-v1.5",
    "gte": "gte-large-en-v1.5, gte-multilingual-base",
    "modernbert": "gte-modernbert-base",
    "qwen3": "Qwen3-Embedding",
    "qwen3-right": "Qwen3-Embedding, its tokenizer padding on the right",
    "gemma3_text": "embeddinggemma-300m",
    "t5": "sentence-t5",
}
RERANKERS = {
    "bert-reranker": "ms-marco-MiniLM",
    "xlm-roberta-reranker": "bge-reranker-v2-m3",
    "modernbert-reranker": "gte-reranker-modernbert-base",
    "qwen3-reranker": "Qwen3-Reranker",
}


@dataclass(frozen=True)
class Row:
    """What was found of one family. For a reranker, `likeness` is the correlation of its scores."""

    family: str
    models: str
    inputs: str
    difference: float
    likeness: float


@pytest.fixture(scope="session")
def torch_python(client_python: Callable[[str, Sequence[str]], Path]) -> Path:
    pinned = [line for line in REQUIREMENTS.read_text().split("\n") if line and line[0] != "#"]
    return client_python("families", [*pinned, "--editable", f"{ROOT}[export-torch]"])


@pytest.fixture(scope="module")
def miniatures(torch_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("miniatures")
    subprocess.run([torch_python, MINIATURES, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    """What the tests found; published when it is of every family."""
    rows: list[Row] = []
    yield rows
    if {row.family for row in rows} == EMBEDDERS.keys() | RERANKERS.keys():
        TABLE.write_text(page(rows), "utf-8")


@dataclass
class Exported:
    """One family in every format, in a repository of its own."""

    repository: Path
    torch_python: Path

    def add(self, task: str, source: Path, weight_format: str) -> None:
        command = [self.torch_python, "-m", "calcgraph.servers", "export", task]
        command += ["--source_model", source, "--model_name", weight_format]
        command += ["--weight-format", weight_format, "--config_file_path", self.config]
        command += ["--model_repository_path", self.repository]
        command += ["--truncate"] if task == "embeddings_ov" else []
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        graph = self.repository / weight_format / "graph.pbtxt"
        text, edits = re.subn(
            r"plugin_config: '{}'", f"plugin_config: '{EXACT}'", graph.read_text()
        )
        assert edits == 1
        graph.write_text(text)

    @property
    def config(self) -> Path:
        return self.repository / "config.json"


@pytest.fixture
def exported(torch_python: Path, tmp_path: Path) -> Exported:
    return Exported(tmp_path / "models", torch_python)


@pytest.mark.parametrize("family", EMBEDDERS)
def test_an_encoder_gives_the_vectors_of_sentence_transformers(
    family: str, miniatures: Path, exported: Exported, tmp_path: Path, table: list[Row]
) -> None:
    source = miniatures / family
    for weight_format in FORMATS:
        exported.add("embeddings_ov", source, weight_format)
    with np.load(source / "expected.npz") as stored:
        texts, wanted = stored["texts"].tolist(), unit(stored["vectors"])
        prompted = unit(stored["prompted"]) if "prompted" in stored else None
    with running(
        tmp_path / "stderr", "--config_path", exported.config, "--rest_port", "0"
    ) as server:
        found = {each: unit(server.embed(each, texts)) for each in FORMATS}
        difference = float(np.abs(found["fp32"] - wanted).max())
        assert difference <= 1e-4
        cosines = (found["int8"] * wanted).sum(axis=1)
        assert cosines.min() >= 0.99
        if prompted is not None:
            asked = unit(server.embed("fp32", texts, prompt_name="query"))
            assert np.abs(asked - prompted).max() <= 1e-4
        assert_packed(server)
    table.append(Row(family, EMBEDDERS[family], inputs(exported), difference, float(cosines.min())))


@pytest.mark.parametrize("family", RERANKERS)
def test_a_reranker_gives_the_scores_of_cross_encoder(
    family: str, miniatures: Path, exported: Exported, tmp_path: Path, table: list[Row]
) -> None:
    source = miniatures / family
    for weight_format in FORMATS:
        exported.add("rerank_ov", source, weight_format)
    with np.load(source / "expected.npz") as stored:
        texts, wanted, query = stored["texts"].tolist(), stored["scores"], str(stored["query"])

    with running(
        tmp_path / "stderr", "--config_path", exported.config, "--rest_port", "0"
    ) as server:
        found = {each: scores(server, each, query, texts) for each in FORMATS}
        assert_packed(server)
    difference = float(np.abs(found["fp32"] - wanted).max())
    assert difference <= 1e-4
    likeness = float(np.corrcoef(found["int8"], wanted)[0, 1])
    assert likeness >= 0.99
    table.append(Row(family, RERANKERS[family], inputs(exported), difference, likeness))


def unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scores(server: Running, model: str, query: str, texts: Sequence[str]) -> Any:
    body = {"model": model, "query": query, "documents": list(texts)}
    status, answer = server.post("/v3/rerank", body)
    assert status == 200, answer
    by_index = {each["index"]: each["relevance_score"] for each in answer["results"]}
    return np.array([by_index[i] for i in range(len(texts))])


def assert_packed(server: Running) -> None:
    for model in FORMATS:
        status, answer = server.get(f"/v3/models/{model}")
        assert status == 200, answer
        details = answer["details"]
        assert details["inference_path"] == "packed", details["inference_path_reason"]


def inputs(exported: Exported) -> str:
    model = ov.Core().read_model(exported.repository / "fp32" / "openvino_model.xml")
    return ", ".join(port.any_name for port in model.inputs)


def page(rows: Sequence[Row]) -> str:
    embedders = [row for row in rows if row.family in EMBEDDERS]
    rerankers = [row for row in rows if row.family in RERANKERS]
    return PAGE.format(
        embedders="\n".join(map(line, embedders)), rerankers="\n".join(map(line, rerankers))
    )


def line(row: Row) -> str:
    cells = (row.family, row.models, f"`{row.inputs}`", "packed")
    return f"| {' | '.join(cells)} | {row.difference:.0e} | {row.likeness:.4f} |"


PAGE = """# Model families

Each family's real architecture and kind of tokenizer in miniature (two layers, random weights), exported by
`calcgraph export` and served by `calcgraph serve` in float32, beside sentence-transformers and torch. This page is
written by `pytest tests/e2e/test_families.py -m slow`, which `make test-all` runs; the miniatures are made by
[benchmarks/families](../benchmarks/families/miniatures.py). NomicBERT and GTE have the config.json and the names of
weights that their authors publish. What a miniature cannot show is whether a published checkpoint has the files and
settings that its architecture is known for.

Packed means that many texts share a row of the inference, which is what makes short texts fast. The engine checks at
load that it changes no vector, and gives each text a row of its own where it does. The test demands that every family
is packed in both formats: rotary embeddings (NomicBERT, GTE, ModernBERT, Qwen3, Gemma) and relative positions (MPNet,
T5) depend on distances only, windows (ModernBERT, Gemma) and the causal order (Qwen3) are kept within each text.

## Encoders

Difference is the largest of any number of a vector of unit length, of 40 texts; at most 1e-4 is allowed. Cosine is the
least between the int8 model and torch in float32; random weights lose more in it than trained ones.

| family | for example | inputs | texts in a row | difference, fp32 | cosine, int8 |
|---|---|---|---|---|---|
{embedders}

## Rerankers

Difference is the largest of any score between 0 and 1. The last column is the correlation of the int8 model's scores
with torch's.

| family | for example | inputs | pairs in a row | difference, fp32 | correlation, int8 |
|---|---|---|---|---|---|
{rerankers}
"""

"""The same vectors in every form, and inputs in every form that clients send."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiktoken

from calcgraph.runtime.errors import GraphError, RequestError

from .conftest import F32, SIX_NODES, Loader, Model, edited

TEXTS = ["a happy person", "", "to be or not to be, that is the question", "äöü 東京"]
OPENAI = "OpenAI/Python 3.54.0"


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(edited(SIX_NODES, F32)).settle()


def with_token_input(name: str) -> str:
    return edited(SIX_NODES, F32, ("truncate: false", f'token_input: "{name}"'))


def test_every_form_holds_the_same_numbers(model: Model) -> None:
    floats = model.embed(TEXTS)
    rows = model.answer(TEXTS, encoding_format="base64")["data"]
    in_base64 = np.stack([np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in rows])
    raw = model.post("/v3/embeddings", {"input": TEXTS}, Accept="application/octet-stream")
    npy = model.post("/v3/embeddings", {"input": TEXTS}, Accept="application/x-npy")
    bare = np.frombuffer(raw.body, "<f4").reshape(len(TEXTS), 384)
    for other in (in_base64, bare, np.load(io.BytesIO(npy.body))):
        np.testing.assert_array_equal(other, floats)
    assert raw.headers["x-usage-prompt-tokens"] == str(model.answer(TEXTS)["usage"]["total_tokens"])


def test_small_types_rank_texts_as_floats_do(model: Model) -> None:
    rows = model.answer(TEXTS, embedding_types=["float", "int8", "ubinary"])["data"]
    forms = {kind: np.array([row["embedding"][kind] for row in rows]) for kind in ("float", "int8")}
    small = forms["int8"] / np.linalg.norm(forms["int8"], axis=1, keepdims=True)
    np.testing.assert_allclose(small @ small.T, forms["float"] @ forms["float"].T, atol=0.01)
    bits = np.unpackbits(np.array([row["embedding"]["ubinary"] for row in rows], np.uint8), axis=1)
    np.testing.assert_array_equal(bits, forms["float"] > 0)


def test_shortened_vectors_come_in_every_form(model: Model) -> None:
    for accept in ("application/octet-stream", "application/json"):
        body = {"input": TEXTS, "dimensions": 32, "embedding_types": ["float"]}
        response = model.post("/v3/embeddings", body, Accept=accept)
        if accept.endswith("json"):
            rows = np.array(
                [row["embedding"]["float"] for row in json.loads(response.body)["data"]]
            )
        else:
            rows = np.frombuffer(response.body, "<f4").reshape(-1, 32)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tiktoken.Encoding]:
    """An encoding that needs no download, through tiktoken's own way for plugins: 256 ids, one a byte."""
    (tmp_path / "tiktoken_ext").mkdir()
    (tmp_path / "tiktoken_ext" / "stand_in.py").write_text(
        "def stand_in():\n"
        "    ranks = {bytes([i]): i for i in range(256)}\n"
        "    return dict(name='stand_in', pat_str='.', mergeable_ranks=ranks, special_tokens={})\n"
        "ENCODING_CONSTRUCTORS = {'stand_in': stand_in}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tiktoken.registry, "ENCODING_CONSTRUCTORS", None)
    tiktoken.registry._available_plugin_modules.cache_clear()
    yield tiktoken.get_encoding("stand_in")
    tiktoken.registry._available_plugin_modules.cache_clear()


def test_foreign_token_ids_are_read_as_their_text(
    load: Loader, model: Model, stand_in: tiktoken.Encoding
) -> None:
    foreign = load(with_token_input("stand_in"))
    ids = [stand_in.encode(text) for text in TEXTS if text]
    assert foreign.answer(ids)["data"] == model.answer([t for t in TEXTS if t])["data"]
    assert foreign.ask("x") == model.ask("x")
    with pytest.raises(RequestError, match=r"input\[1\]: 256 is no token id of stand_in"):
        foreign.ask([[1], [5, 256]])
    with pytest.raises(RequestError, match="-1 is no token id of stand_in"):
        foreign.ask([-1])


def test_an_encoding_whose_file_is_out_of_reach_says_where_it_is_looked_for(
    load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    # Nothing listens on port 9: the download is refused at once, wherever this test runs.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    with pytest.raises(GraphError) as raised:
        load(with_token_input("cl100k_base"))
    assert "tiktoken cannot get the file of 'cl100k_base'" in str(raised.value)
    assert "TIKTOKEN_CACHE_DIR" in str(raised.value)


def test_an_unknown_encoding_is_named_with_those_there_are(load: Loader) -> None:
    with pytest.raises(GraphError, match=r"tiktoken \(cl100k_base, .*\), found 'cl99k'"):
        load(with_token_input("cl99k"))


def test_a_graph_may_take_no_token_ids(load: Loader, model: Model) -> None:
    texts_only = load(with_token_input("reject"))
    with pytest.raises(RequestError, match="check_embedding_ctx_length=False") as raised:
        texts_only.ask([101, 102])
    assert raised.value.param == "input"
    assert texts_only.ask("x") == model.ask("x")


def test_token_ids_from_a_client_of_openais_are_warned_of_once(
    load: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    model = load(SIX_NODES)
    with caplog.at_level(logging.WARNING, "calcgraph.calculators"):
        model.post("/v3/embeddings", {"input": [101, 102]}, User_Agent="curl/8")
        model.post("/v3/embeddings", {"input": "x"}, User_Agent=OPENAI)
        assert not caplog.records
        for _ in range(2):
            model.post("/v3/embeddings", {"input": [101, 102]}, User_Agent=OPENAI)
    [record] = caplog.records
    assert "check_embedding_ctx_length=False" in record.getMessage()

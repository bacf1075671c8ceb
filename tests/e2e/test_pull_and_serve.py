"""OVMS's one command that pulls a model and serves it, in a real process, from a hub of our own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hub_stand_in import Hub

DATA = Path(__file__).parents[1] / "data"
BF16 = 5e-3
"""What two programs of one model may differ by, where inference is bfloat16."""


@pytest.fixture
def flags(hub: Hub, tmp_path: Path) -> Callable[..., list[str]]:
    """OVMS's command line for a model of the hub."""
    hub.publish("tiny/bert", DATA / "encoders" / "bert")
    hub.publish("tiny/reranker", DATA / "rerankers" / "bert")

    def line(model: str, task: str, *more: str) -> list[str]:
        place = ["--model_repository_path", str(tmp_path / "models")]
        return ["--rest_port", "0", "--source_model", model, *place, "--task", task, *more]

    return line


def test_a_model_is_pulled_and_served(
    flags: Callable[..., list[str]], launch: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = launch(*flags("tiny/bert", "embeddings", "--target_device", "CPU"))
    vectors = first.embed("tiny/bert", ["hello world", "the cat"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)

    # The model is there now, and starting it takes no hub.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    second = launch(*flags("tiny/bert", "embeddings"))
    again = second.embed("tiny/bert", ["hello world", "the cat"])
    np.testing.assert_allclose(again, vectors, atol=BF16)


def test_a_reranker_is_pulled_and_served_under_another_name(
    flags: Callable[..., list[str]], launch: Callable
) -> None:
    server = launch(*flags("tiny/reranker", "rerank", "--model_name", "judge"))
    body = {"model": "judge", "query": "cat", "documents": ["the cat", "hello world"]}
    status, answer = server.post("/v3/rerank", body)
    assert status == 200
    assert {each["index"] for each in answer["results"]} == {0, 1}


def test_what_cannot_be_pulled_is_not_served(
    flags: Callable[..., list[str]], refusal: Callable[..., str]
) -> None:
    assert "has no model nobody/nothing" in refusal(*flags("nobody/nothing", "embeddings"))


def test_a_pull_beside_a_running_server_leaves_it_serving(
    flags: Callable[..., list[str]], launch: Callable, hub: Hub, refusal: Callable, tmp_path: Path
) -> None:
    server = launch(*flags("tiny/bert", "embeddings"))
    before = server.embed("tiny/bert", ["hello world"])
    broken = shutil.copytree(DATA / "encoders" / "bert", tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"half")
    hub.publish("tiny/bert", broken)
    line = flags("tiny/bert", "embeddings", "--overwrite_models")
    assert "is not a whole safetensors file" in refusal(*line)
    np.testing.assert_allclose(server.embed("tiny/bert", ["hello world"]), before, atol=BF16)
    again = launch(*flags("tiny/bert", "embeddings"))
    np.testing.assert_allclose(again.embed("tiny/bert", ["hello world"]), before, atol=BF16)

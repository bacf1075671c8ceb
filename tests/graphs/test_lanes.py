"""A request's priority reaches the engine, and the engine's numbers reach who watches."""

from importlib.resources import files

import numpy as np
import pytest

from calcgraph.runtime.payload import Tensor

from .conftest import Loader, Model

GRAPH = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")


@pytest.fixture(scope="module")
def model(load: Loader) -> Model:
    return load(GRAPH)


def measured(model: Model, name: str, **labels: str) -> float:
    (value,) = (
        each.value
        for each in model.executor.measurements()
        if each.name == name and labels.items() <= each.labels.items()
    )
    return value


@pytest.mark.parametrize("lane", ["interactive", "bulk"])
def test_a_request_is_inferred_in_the_lane_it_asks_for(model: Model, lane: str) -> None:
    before = measured(model, "engine_texts", lane=lane)
    model.post("/v3/embeddings", {"input": ["a", "b"]}, x_priority=lane)
    model.infer(Tensor("input", "BYTES", np.array([b"a"], object)), priority=lane)
    assert measured(model, "engine_texts", lane=lane) - before == 3


def test_the_lane_is_else_by_size(model: Model) -> None:
    lanes = ("interactive", "bulk")
    before = [measured(model, "engine_texts", lane=lane) for lane in lanes]
    model.embed("a")
    model.embed(["a few words more than nothing"] * 400)
    after = [measured(model, "engine_texts", lane=lane) for lane in lanes]
    assert np.subtract(after, before).tolist() == [1, 400]


def test_what_the_engine_did_is_measured(model: Model) -> None:
    names = ("engine_tokens", "engine_slots")
    before = [measured(model, name) for name in names]
    model.embed("five")
    tokens, slots = np.subtract([measured(model, n) for n in names], before)
    assert tokens == 3
    assert slots >= tokens
    assert measured(model, "engine_queue_texts", lane="bulk") == 0
    assert measured(model, "engine_failed_texts") == 0
    assert measured(model, "engine_info", device="CPU", path="packed", node="encoder") == 1


def test_the_settings_chosen_are_among_the_models_details(model: Model) -> None:
    details = model.executor.metadata.details
    assert details["threads"] == measured(model, "engine_threads")
    assert details["streams"] == measured(model, "engine_streams")
    assert "[1,16]" in details["inference_shapes"]
    assert details["inference_path"] == "packed"
    assert "packed rows equal single texts" in details["inference_path_reason"]
    assert details["weight_bytes"] > 40e6

"""A plain model as it is loaded and served, without front ends."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.payload import InferRequest, InferResponse, Tensor
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.model_config import single_model
from calcgraph.servers.repository.repository import Repository

ROWS = np.array([[1, 2, 3]], np.float32)


@pytest.fixture
def ask(save_add: Callable[..., Path], tmp_path: Path) -> Callable[..., Any]:
    """Load `add`, [-1, 3] both, with settings as flags give them, and do something with it."""
    save_add(tmp_path / "m" / "1" / "model.xml")

    def run(settings: Mapping[str, Any], act: Callable[[DataPlane], Any]) -> Any:
        async def live() -> Any:
            repository = Repository()
            repository.register(single_model("m", tmp_path / "m", settings))
            try:
                await repository.load("m")
                return await act(DataPlane(repository))
            finally:
                await repository.close()

        return asyncio.run(live())

    return run


def sum_of(plane: DataPlane, rows: Any) -> Any:
    return plane.infer("m", InferRequest("m", [Tensor(name, "FP32", rows) for name in "ab"]))


def test_a_request_of_tensors_is_answered_with_tensors(ask: Any) -> None:
    answer: InferResponse = ask({}, lambda plane: sum_of(plane, ROWS))
    (total,) = answer.outputs
    assert (total.name, total.datatype, total.shape) == ("sum", "FP32", (1, 3))
    assert np.array_equal(total.data, ROWS * 2)


def test_the_model_tells_what_it_is_and_how_it_is_run(ask: Any) -> None:
    found = ask({"nireq": "3"}, lambda plane: plane.metadata("m"))
    assert (found.platform, found.versions) == ("OpenVINO", ("1",))
    assert {spec.name: spec.shape for spec in (*found.inputs, *found.outputs)} == {
        "a": (-1, 3),
        "b": (-1, 3),
        "sum": (-1, 3),
    }
    assert found.details["nireq"] == 3
    assert found.details["device"] == "CPU"


def test_the_same_model_run_otherwise_has_another_fingerprint(ask: Any) -> None:
    def fingerprint(settings: Mapping[str, Any]) -> str:
        return str(ask(settings, lambda plane: plane.metadata("m")).fingerprint)

    assert fingerprint({}) == fingerprint({})
    assert fingerprint({}) != fingerprint({"batch_size": "1"})


def test_a_version_that_comes_takes_the_place_of_the_one_before(
    ask: Any, save_add: Callable[..., Path], tmp_path: Path
) -> None:
    async def change(plane: DataPlane) -> None:
        save_add(tmp_path / "m" / "2" / "model.xml", more=1.0)
        await plane.load("m")
        assert (await plane.metadata("m")).versions == ("2",)
        (total,) = (await sum_of(plane, ROWS)).outputs
        assert np.array_equal(total.data, ROWS * 2 + 1)

    ask({}, change)


def test_inferences_are_counted_with_those_that_fail(ask: Any) -> None:
    async def two(plane: DataPlane) -> Mapping[str, float]:
        await sum_of(plane, ROWS)
        uneven = [Tensor("a", "FP32", np.ones((2, 3), np.float32)), Tensor("b", "FP32", ROWS[:0])]
        with pytest.raises(StatusError, match="cannot be run on inputs of these shapes"):
            await plane.infer("m", InferRequest("m", uneven))
        assert plane.is_ready("m")
        return {each.name: each.value for each in plane.measurements("m")}

    counted = ask({}, two)
    assert counted["openvino_inferences"] == 2
    assert counted["openvino_failures"] == 1
    assert counted["openvino_inference_seconds"] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_device": "NPU"}, "device 'NPU' is not available: OpenVINO finds"),
        ({"plugin_config": '{"NUM_STREAM": 2}'}, "did you mean NUM_STREAMS"),
        ({"shape": "(1,5,5)"}, "the model has several inputs, 'a', 'b': say which is meant"),
        ({"layout": "NHWC:NCHW"}, "the model has several inputs"),
        ({"batch_size": "x"}, "found 'x' for a dimension; expected a size"),
        (
            {"model_version_policy": '{"specific": {"versions": [2]}}'},
            "model 'm': model_version_policy names version 2; there are 1",
        ),
    ],
)
def test_a_setting_that_cannot_be_had_is_told(
    ask: Any, settings: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(StatusError, match=message):
        ask(settings, lambda plane: plane.metadata("m"))

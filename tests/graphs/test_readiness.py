"""A model whose engine mends itself says so to probes, and keeps the requests that come meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from calcgraph.calculators.engine import Engine
from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import InferRequest, InferResponse, Tensor
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.repository.versions import VersionEntry

FAILS = 29_999
VECTORS = np.random.default_rng(0).normal(size=(30_522, 8)).astype(np.float32)
SECONDS = 20
GRAPH = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")


def failing_model() -> ov.Model:
    """A table of vectors, whose inference raises for one id."""

    def parameter(name: str) -> Any:
        node = op.parameter([-1, -1], ov.Type.i64, name=name)
        node.output(0).get_tensor().set_names({name})
        return node

    ids, mask = parameter("input_ids"), parameter("attention_mask")
    x = op.gather(op.constant(VECTORS), ids, np.int64(0))
    x = op.multiply(x, op.unsqueeze(op.convert(mask, "f32"), [2]))
    hit = op.reduce_max(op.convert(op.equal(ids, np.int64(FAILS)), "i64"), np.array([0, 1]))
    width = op.add(np.int64(8), op.multiply(hit, np.int64(1000003)))
    sizes = op.concat([np.array([-1]), op.unsqueeze(width, [0])], 0)
    x = op.reshape(op.reshape(x, sizes, False), op.shape_of(x), False)
    x.output(0).get_tensor().set_names({"last_hidden_state"})
    return ov.Model([op.result(x)], [ids, mask], "failing")


@pytest.fixture
def graph_file(minilm: Path, tmp_path: Path) -> Path:
    """That model, behind the tokenizer of the default one."""
    for path in minilm.iterdir():
        if "model." not in path.name and path.name not in ("graph.pbtxt", "canary.npz"):
            (tmp_path / path.name).symlink_to(path)
    ov.save_model(failing_model(), tmp_path / "openvino_model.xml", compress_to_fp16=False)
    (tmp_path / "graph.pbtxt").write_text(GRAPH)
    return tmp_path / "graph.pbtxt"


def request(*ids: int) -> InferRequest:
    return InferRequest("m", [Tensor("input_ids", "INT64", np.array([ids]))])


def engine_of(executor: GraphExecutor) -> Engine:
    (engine,) = (r.engine for r in executor._resources.by_node.values() if hasattr(r, "engine"))
    assert isinstance(engine, Engine)
    return engine


def hold_compilation(engine: Engine) -> Callable[[], None]:
    """The engine compiles nothing until the function returned is called."""
    programs, gate = engine._worker.programs, threading.Event()
    engine.warm_up()
    compile_shapes = programs._compile

    def compile_when_open(*args: Any) -> Any:
        assert gate.wait(SECONDS)
        return compile_shapes(*args)

    programs._compile = compile_when_open
    return gate.set


def test_a_model_is_not_ready_while_its_engine_is_compiled_anew(graph_file: Path) -> None:
    async def play() -> InferResponse:
        executor = await GraphExecutor.open("m", graph_file)

        async def opened(_: VersionEntry) -> GraphExecutor:
            return executor

        repository = Repository(opened)
        repository.register(ModelEntry("m", graph_file.parent, graph_file))
        plane = DataPlane(repository)
        await plane.load("m")
        try:
            release = hold_compilation(engine_of(executor))
            assert plane.ready and plane.is_ready("m")
            with pytest.raises(StatusError):
                await plane.infer("m", request(3, FAILS))
            assert not plane.ready and not plane.is_ready("m")
            waits = asyncio.create_task(plane.infer("m", request(3, 4)))
            await asyncio.sleep(0)
            release()
            async with asyncio.timeout(SECONDS):
                answer = await waits
            assert plane.ready and plane.is_ready("m")
            return answer
        finally:
            await repository.close()

    answer = asyncio.run(play())
    vector = VECTORS[3] + VECTORS[4]
    expected = [vector / np.linalg.norm(vector)]
    np.testing.assert_allclose(answer.outputs[0].data, expected, atol=1e-2)

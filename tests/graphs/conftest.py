"""A model folder with an edited graph, run by the real executor."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import HttpRequest

SIX_NODES = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")
ONE_NODE = files("calcgraph.graphs").joinpath("embeddings_ovms.pbtxt").read_text("utf-8")
F32 = ("plugin_config: '{}'", 'plugin_config: \'{"INFERENCE_PRECISION_HINT": "f32"}\'')


def edited(graph: str, *edits: tuple[str, str]) -> str:
    """The graph with each text replaced; a text that is not there fails the test."""
    for found, wanted in edits:
        assert found in graph, f"{found!r} is not in the graph"
        graph = graph.replace(found, wanted)
    return graph


class Model:
    """One loaded model, asked as the REST front end asks it."""

    def __init__(self, runner: asyncio.Runner, executor: GraphExecutor) -> None:
        self._runner = runner
        self.executor = executor

    def ask(self, value: Any, **body: Any) -> bytes:
        request = HttpRequest("/v3/embeddings", {"model": "m", "input": value, **body})
        response = self._runner.run(self.executor.infer(request))
        content = response.body  # type: ignore[union-attr]
        assert isinstance(content, bytes)
        return content

    def embed(self, value: Any, **body: Any) -> NDArray[np.float32]:
        data = json.loads(self.ask(value, **body))["data"]
        return np.array([row["embedding"] for row in data], np.float32)


Loader = Callable[[str], Model]


@pytest.fixture(scope="module")
def load(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    """Load the default model with a graph of the test's own."""
    models: list[Model] = []
    with asyncio.Runner() as runner:

        def load_graph(graph: str) -> Model:
            folder = tmp_path_factory.mktemp("model")
            for path in minilm.iterdir():
                if path.is_dir():
                    shutil.copytree(path, folder / path.name)
                else:
                    (folder / path.name).symlink_to(path)
            (folder / "graph.pbtxt").unlink(missing_ok=True)
            (folder / "graph.pbtxt").write_text(graph)
            executor = runner.run(GraphExecutor.open("m", folder / "graph.pbtxt"))
            models.append(Model(runner, executor))
            return models[-1]

        yield load_graph
        for model in models:
            runner.run(model.executor.close())

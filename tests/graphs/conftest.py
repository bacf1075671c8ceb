"""A model folder with an edited graph, run by the real executor."""

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import HttpRequest, HttpResponse, InferRequest, InferResponse, Tensor
from calcgraph.runtime.request_trace import CURRENT, RequestTrace

SIX_NODES = files("calcgraph.graphs").joinpath("embeddings.pbtxt").read_text("utf-8")
ONE_NODE = files("calcgraph.graphs").joinpath("embeddings_ovms.pbtxt").read_text("utf-8")
NO_FILES: Mapping[str, bytes | None] = {}
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

    def post(self, path: str, body: dict[str, Any], **headers: str) -> HttpResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = HttpRequest(path, {"model": "m", **body}, names)
        response = self._runner.run(self.executor.infer(request))
        assert isinstance(response, HttpResponse)
        return response

    def infer(self, *tensors: Tensor, **parameters: Any) -> InferResponse:
        request = InferRequest("m", tensors, parameters=parameters)
        response = self._runner.run(self.executor.infer(request))
        assert isinstance(response, InferResponse)
        return response

    def ask(self, value: Any, **body: Any) -> bytes:
        return self.post("/v3/embeddings", {"input": value, **body}).body

    def traced(self, value: Any) -> tuple[dict[str, Any], RequestTrace]:
        """The answer, and what the graph did for it."""
        trace = RequestTrace()

        async def ask() -> Any:
            CURRENT.set(trace)
            body = {"model": "m", "input": value}
            return await self.executor.infer(HttpRequest("/v3/embeddings", body, {}))

        response = self._runner.run(ask(), context=copy_context())
        return json.loads(response.body), trace

    def answer(self, value: Any, **body: Any) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.ask(value, **body))
        return parsed

    def settle(self) -> Self:
        """Wait until every program is compiled: from then on a request that is alone gives the same bits."""
        for resource in self.executor._resources.by_node.values():
            engine = getattr(getattr(resource, "scorer", resource), "engine", None)
            if engine is not None:
                engine.warm_up()
        return self

    def embed(self, value: Any, **body: Any) -> NDArray[np.float32]:
        data = self.answer(value, **body)["data"]
        return np.array([row["embedding"] for row in data], np.float32)


class Loader(Protocol):
    """`files` are added to the model's folder; bytes None takes one away."""

    def __call__(self, graph: str, files: Mapping[str, bytes | None] = ...) -> Model: ...


@pytest.fixture(scope="module")
def load(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    """Load the default model with a graph of the test's own."""
    models: list[Model] = []
    with asyncio.Runner() as runner:

        def load_graph(graph: str, files: Mapping[str, bytes | None] = NO_FILES) -> Model:
            folder = tmp_path_factory.mktemp("model")
            for path in minilm.iterdir():
                if path.is_dir():
                    shutil.copytree(path, folder / path.name)
                else:
                    (folder / path.name).symlink_to(path)
            for name, content in {"graph.pbtxt": graph.encode(), **files}.items():
                (folder / name).unlink(missing_ok=True)
                if content is not None:
                    (folder / name).write_bytes(content)
            executor = runner.run(GraphExecutor.open("m", folder / "graph.pbtxt"))
            models.append(Model(runner, executor))
            return models[-1]

        yield load_graph
        for model in models:
            runner.run(model.executor.close())

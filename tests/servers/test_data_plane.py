"""The models that are served: registered, loaded, asked, closed."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.payload import HttpRequest
from calcgraph.servers.data_plane import DataPlane

GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node { calculator: "EchoRequest" input_stream: "REQUEST:request" output_stream: "RESPONSE:response" }
"""


@pytest.fixture
def echo(nodes: dict[str, Any], tmp_path: Path) -> Path:
    file = tmp_path / "graph.pbtxt"
    file.write_text(GRAPH)
    return file


def opener(file: Path) -> Any:
    return partial(GraphExecutor.open, "echo", file, base_path=file.parent)


def code_of(plane: DataPlane, name: str = "echo") -> Code:
    with pytest.raises(RequestError) as refused:
        plane.metadata(name)
    return refused.value.code


def test_a_name_is_known_before_its_model_is_loaded_and_after_it_is_closed(echo: Path) -> None:
    async def live() -> None:
        plane = DataPlane()
        assert code_of(plane) == Code.NOT_FOUND
        plane.register("echo")
        assert (plane.names, plane.is_ready("echo")) == (("echo",), False)
        assert code_of(plane) == Code.UNAVAILABLE
        await plane.load("echo", opener(echo))
        assert plane.is_ready("echo")
        assert plane.metadata("echo").name == "echo"
        answer = await plane.answer("echo", HttpRequest("/p", {"input": "x"}))
        assert answer.body == b'{"path":"/p","body":{"input":"x"}}'
        await plane.close()
        assert not plane.is_ready("echo")
        assert code_of(plane) == Code.UNAVAILABLE

    asyncio.run(live())


def test_all_models_must_be_ready_and_one_there_must_be(echo: Path) -> None:
    async def live() -> None:
        plane = DataPlane()
        assert not plane.ready
        for name in ("one", "two"):
            plane.register(name)
        await plane.load("one", opener(echo))
        assert not plane.ready
        await plane.load("two", opener(echo))
        assert plane.ready
        await plane.close()

    asyncio.run(live())


def test_a_model_that_cannot_be_opened_stays_not_ready(tmp_path: Path) -> None:
    async def live() -> None:
        plane = DataPlane()
        plane.register("echo")
        with pytest.raises(StatusError, match=r"gone\.pbtxt"):
            await plane.load("echo", opener(tmp_path / "gone.pbtxt"))
        assert code_of(plane) == Code.UNAVAILABLE

    asyncio.run(live())

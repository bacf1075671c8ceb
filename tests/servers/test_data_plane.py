"""What clients may ask of the models: by name and version, loaded or not."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.payload import HttpRequest
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.model_config import ModelEntry
from calcgraph.servers.repository.repository import Repository

GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node { calculator: "EchoRequest" input_stream: "REQUEST:request" output_stream: "RESPONSE:response" }
"""
REQUEST = HttpRequest("/p", {"input": "x"})

Act = Callable[[Repository, DataPlane], Coroutine[Any, Any, None]]


@pytest.fixture
def play(nodes: dict[str, Any], tmp_path: Path) -> Callable[..., None]:
    """Run a coroutine on a repository in which some names are registered, none loaded."""
    file = tmp_path / "graph.pbtxt"
    file.write_text(GRAPH)

    def run(act: Act, *names: str) -> None:
        async def live() -> None:
            repository = Repository()
            for name in names:
                repository.register(ModelEntry(name, tmp_path, file))
            try:
                await act(repository, DataPlane(repository))
            finally:
                await repository.close()

        asyncio.run(live())

    return run


async def code_of(plane: DataPlane, name: str = "echo", version: str = "") -> Code:
    with pytest.raises(RequestError) as refused:
        await plane.metadata(name, version)
    return refused.value.code


def test_a_name_is_known_before_its_model_is_loaded_and_after_it_is_unloaded(play: Any) -> None:
    async def act(repository: Repository, plane: DataPlane) -> None:
        assert (plane.names, plane.is_ready("echo")) == (("echo",), False)
        assert await code_of(plane) == Code.UNAVAILABLE
        await plane.load("echo")
        assert plane.is_ready("echo")
        assert (await plane.metadata("echo")).name == "echo"
        answer = await plane.answer("echo", REQUEST)
        assert answer.body == b'{"path":"/p","body":{"input":"x"}}'
        await plane.unload("echo")
        assert not plane.is_ready("echo")
        assert await code_of(plane) == Code.UNAVAILABLE

    play(act, "echo")


def test_an_unknown_name_is_not_found(play: Any) -> None:
    async def act(repository: Repository, plane: DataPlane) -> None:
        assert await code_of(plane) == Code.NOT_FOUND

    play(act, "other")


@pytest.mark.parametrize(
    ("version", "code"),
    [("2", Code.NOT_FOUND), ("9" * 100, Code.NOT_FOUND), ("one", Code.INVALID_ARGUMENT)],
)
def test_an_unknown_version_is_refused(play: Any, version: str, code: Code) -> None:
    async def act(repository: Repository, plane: DataPlane) -> None:
        await plane.load("echo")
        assert await code_of(plane, version=version) == code

    play(act, "echo")


def test_version_0_is_the_newest(play: Any) -> None:
    async def act(repository: Repository, plane: DataPlane) -> None:
        await plane.load("echo")
        assert (await plane.metadata("echo", "0")).versions == ("1",)

    play(act, "echo")


def test_all_models_must_be_ready_and_one_there_must_be(play: Any) -> None:
    async def no_model(repository: Repository, plane: DataPlane) -> None:
        assert not plane.ready

    async def two_models(repository: Repository, plane: DataPlane) -> None:
        await plane.load("one")
        assert not plane.ready
        await plane.load("two")
        assert plane.ready

    play(no_model)
    play(two_models, "one", "two")


def test_a_model_that_was_unloaded_on_purpose_does_not_make_the_server_unready(play: Any) -> None:
    async def act(repository: Repository, plane: DataPlane) -> None:
        await plane.load("one")
        await plane.load("two")
        await plane.unload("two")
        assert plane.ready

    play(act, "one", "two")

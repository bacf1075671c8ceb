"""Models that are loaded, changed and unloaded while requests come."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from calcgraph.runtime.errors import Code, RequestError, StatusError
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.repository.status import State, VersionStatus

SECONDS = 20


@pytest.fixture
def play(word: Any) -> Callable[..., None]:
    """Run a coroutine on a repository of some folders' models, none loaded yet."""

    def run(act: Callable[..., Coroutine[Any, Any, None]], *folders: Any) -> None:
        async def live() -> None:
            word.in_memory.clear()
            word.loads.clear()
            word.asked, word.release = asyncio.Event(), asyncio.Event()
            repository = Repository()
            for folder in folders:
                repository.register(folder.entry)
            try:
                async with asyncio.timeout(SECONDS):
                    await act(repository, DataPlane(repository), *folders)
            finally:
                await repository.close()
            assert word.in_memory == []

        asyncio.run(live())

    return run


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)


def status(repository: Repository, name: str = "m") -> VersionStatus:
    (found,) = repository.statuses[name]
    return found


def test_a_changed_model_takes_the_place_of_the_old_one(
    play: Any, folder: Any, ask: Any, word: Any
) -> None:
    async def act(repository: Repository, plane: DataPlane, m: Any) -> None:
        await plane.load("m")
        assert await ask(plane, "m") == "old"
        m.says("new")
        await plane.load("m")
        assert await ask(plane, "m") == "new"

    play(act, folder("m", "old"))


def test_a_request_that_runs_ends_on_the_model_it_began_on(
    play: Any, folder: Any, ask: Any, word: Any
) -> None:
    async def act(repository: Repository, plane: DataPlane, m: Any) -> None:
        await plane.load("m")
        running = asyncio.create_task(ask(plane, "m", wait=True))
        await word.asked.wait()
        m.says("new")
        await plane.load("m")
        assert sorted(word.in_memory) == ["new", "old"]
        assert await ask(plane, "m") == "new"
        word.release.set()
        assert await running == "old"
        await plane.unload("m")
        assert word.in_memory == []

    play(act, folder("m", "old"))


def test_a_change_that_does_not_load_leaves_the_old_model_serving_and_says_why(
    play: Any, folder: Any, ask: Any
) -> None:
    async def act(repository: Repository, plane: DataPlane, m: Any) -> None:
        await plane.load("m")
        m.says("broken")
        with pytest.raises(StatusError, match="the word is broken"):
            await plane.load("m")
        assert await ask(plane, "m") == "old"
        found = status(repository)
        assert (found.state, found.code) == (State.AVAILABLE, Code.INVALID_ARGUMENT)
        assert "the word is broken" in found.reason
        m.says("new")
        await plane.load("m")
        assert status(repository) == VersionStatus(1, State.AVAILABLE)

    play(act, folder("m", "old"))


def test_a_model_that_never_loaded_refuses_requests_and_says_why(play: Any, folder: Any) -> None:
    async def act(repository: Repository, plane: DataPlane, m: Any) -> None:
        with pytest.raises(StatusError, match="the word is broken"):
            await plane.load("m")
        assert status(repository).state is State.LOADING
        assert "the word is broken" in status(repository).reason
        with pytest.raises(RequestError, match="could not be loaded"):
            await plane.metadata("m")

    play(act, folder("m", "broken"))


def test_an_unloaded_model_is_freed_after_its_last_answer(
    play: Any, folder: Any, ask: Any, word: Any
) -> None:
    async def act(repository: Repository, plane: DataPlane, m: Any) -> None:
        await plane.load("m")
        running = asyncio.create_task(ask(plane, "m", wait=True))
        await word.asked.wait()
        unloading = asyncio.create_task(plane.unload("m"))
        await until(lambda: status(repository).state is State.UNLOADING)
        with pytest.raises(RequestError, match="is unloaded"):
            await ask(plane, "m")
        word.release.set()
        assert await running == "w"
        await unloading
        assert (status(repository).state, word.in_memory) == (State.END, [])
        await plane.load("m")
        assert await ask(plane, "m") == "w"

    play(act, folder("m", "w"))

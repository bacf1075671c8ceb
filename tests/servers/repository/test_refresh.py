"""A repository that follows a config.json and the folders it names."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from calcgraph.runtime.errors import Code, RequestError
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.repository.source import ConfigFile
from calcgraph.servers.repository.status import State

SECONDS = 20


@pytest.fixture
def play(word: Any, config: Any) -> Callable[..., None]:
    """Run a coroutine on a repository that was started with the config.json as it is."""

    def run(act: Callable[..., Coroutine[Any, Any, None]], **options: Any) -> None:
        async def live() -> None:
            word.in_memory.clear()
            word.loads.clear()
            word.asked, word.release = asyncio.Event(), asyncio.Event()
            repository = Repository(source=ConfigFile(config.file), **options)
            try:
                async with asyncio.timeout(SECONDS):
                    for name in repository.names:
                        await repository.start(name)
                    await act(repository, DataPlane(repository))
            finally:
                await repository.close()
            assert word.in_memory == []

        asyncio.run(live())

    return run


async def settle(repository: Repository) -> None:
    """Look twice, as a watching server does: what is the same both times is not being written."""
    await repository.refresh(patient=True)
    await repository.refresh(patient=True)


def test_a_changed_graph_is_served_once_it_is_not_being_written_any_more(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        await settle(repository)
        assert word.loads == ["old"]
        m.graph.write_text("input_stream: half a gra")
        await repository.refresh(patient=True)
        m.says("new")
        await repository.refresh(patient=True)
        assert await ask(plane, "m") == "old"
        await repository.refresh(patient=True)
        assert await ask(plane, "m") == "new"
        await settle(repository)
        assert word.loads == ["old", "new"]

    play(act)


def test_the_files_beside_the_graph_count_too_but_not_what_a_server_writes(
    play: Any, folder: Any, config: Any, word: Any
) -> None:
    m = folder("m", "w")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        for name in ("server.log", "compiled.blob", ".hidden.json"):
            (m.path / name).write_text("x")
        await settle(repository)
        assert word.loads == ["w"]
        (m.path / "1_Pooling").mkdir()
        (m.path / "1_Pooling" / "config.json").write_text("{}")
        await settle(repository)
        assert word.loads == ["w", "w"]

    play(act)


def test_a_broken_change_is_told_once_and_mended_by_the_next(
    play: Any, folder: Any, config: Any, ask: Any, word: Any, caplog: pytest.LogCaptureFixture
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        m.says("broken")
        await settle(repository)
        await settle(repository)
        assert word.loads == ["old", "broken"]
        assert caplog.text.count("the word is broken; what was served before is served on") == 1
        (status,) = plane.statuses()["m"]
        assert (status.state, status.code) == (State.AVAILABLE, Code.INVALID_ARGUMENT)
        assert "the word is broken" in status.reason
        assert await ask(plane, "m") == "old"
        m.says("new")
        await settle(repository)
        (status,) = plane.statuses()["m"]
        assert (status.code, await ask(plane, "m")) == (Code.OK, "new")

    play(act)


def test_who_asks_for_a_reload_gets_it_at_once_and_failures_tried_again(
    play: Any, folder: Any, config: Any, word: Any
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        done = await plane.refresh()
        assert (done.changed, done.problems) == (False, [])
        m.says("new")
        done = await plane.refresh()
        assert (done.changed, done.problems) == (True, [])
        m.says("broken")
        for _ in range(2):
            done = await plane.refresh()
            assert not done.changed
            assert "the word is broken" in done.problems[0]
        assert word.loads == ["old", "new", "broken", "broken"]

    play(act)


def test_models_come_and_go_with_the_configuration(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    a, b, c = folder("a", "A"), folder("b", "B"), folder("c", "C")
    config.names(a, b)

    async def act(repository: Repository, plane: DataPlane) -> None:
        running = asyncio.create_task(ask(plane, "a", wait=True))
        await word.asked.wait()
        config.names(c, b)
        await settle(repository)
        assert plane.names == ("c", "b")
        assert await ask(plane, "c") == "C"
        with pytest.raises(RequestError, match="The model 'a' does not exist"):
            await ask(plane, "a")
        word.release.set()
        assert await running == "A"
        assert word.loads == ["A", "B", "C"]

    play(act)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model_config_list": [', "not JSON"),
        ('{"model_config_list": [{"config": {"name": 1}}]}', "expected a string, found 1"),
    ],
)
def test_a_configuration_that_breaks_leaves_everything_as_it_was_and_says_so(
    play: Any,
    folder: Any,
    config: Any,
    ask: Any,
    text: str,
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        config.writes(text)
        await settle(repository)
        await settle(repository)
        (status,) = plane.statuses()["m"]
        assert (status.state, message in status.reason) == (State.AVAILABLE, True)
        assert caplog.text.count("the configuration before it is served on") == 1
        m.says("new")
        await settle(repository)
        assert await ask(plane, "m") == "new"
        config.names(m)
        await settle(repository)
        (status,) = plane.statuses()["m"]
        assert status.code is Code.OK

    play(act)


def test_a_model_that_cannot_be_had_keeps_no_other_from_being_served(
    play: Any, folder: Any, config: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    a, b, gone = folder("a", "A"), folder("b", "B"), folder("gone", "G")
    config.names(a)

    async def act(repository: Repository, plane: DataPlane) -> None:
        shutil.rmtree(gone.path)
        config.names(a, gone, b)
        await settle(repository)
        assert (await ask(plane, "a"), await ask(plane, "b")) == ("A", "B")
        (status,) = plane.statuses()["gone"]
        assert (status.state, "does not exist" in status.reason) == (State.LOADING, True)
        gone.path.mkdir()
        gone.says("G")
        await settle(repository)
        assert await ask(plane, "gone") == "G"

    play(act)


def test_a_folder_that_vanishes_does_not_take_its_model_along(
    play: Any, folder: Any, config: Any, ask: Any
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        shutil.rmtree(m.path)
        await settle(repository)
        assert await ask(plane, "m") == "old"
        (status,) = plane.statuses()["m"]
        assert "graph.pbtxt" in status.reason

    play(act)


def test_a_model_unloaded_on_purpose_stays_so_whatever_its_files_do(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    m = folder("m", "old")
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        await plane.unload("m")
        m.says("new")
        await settle(repository)
        assert word.loads == ["old"]
        await plane.load("m")
        assert await ask(plane, "m") == "new"

    play(act)


def test_a_lazy_model_is_ready_and_comes_with_its_first_request(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    m = folder("m", "old")
    config.names(m, lazy_load=True)

    async def act(repository: Repository, plane: DataPlane) -> None:
        assert plane.ready and plane.is_ready("m")
        m.says("new")
        await settle(repository)
        assert (word.loads, plane.known_metadata("m")) == ([], None)
        answers = await asyncio.gather(*(ask(plane, "m") for _ in range(5)))
        assert (answers, word.loads) == (["new"] * 5, ["new"])
        assert (await plane.metadata("m")).name == "m"

    play(act)


def test_a_client_that_does_not_wait_for_a_lazy_model_takes_nobody_along(
    play: Any, folder: Any, config: Any, ask: Any
) -> None:
    config.names(folder("m", "w"), lazy_load=True)

    async def act(repository: Repository, plane: DataPlane) -> None:
        leaves, stays = (asyncio.create_task(ask(plane, "m")) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        assert await stays == "w"

    play(act)


def test_a_model_that_nobody_asks_for_leaves_the_memory_and_comes_back(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    config.names(folder("m", "w"), keep_alive=0.05)

    async def act(repository: Repository, plane: DataPlane) -> None:
        running = asyncio.create_task(ask(plane, "m", wait=True))
        await word.asked.wait()
        word.release.set()
        assert await running == "w"
        await until(lambda: word.in_memory == [])
        assert plane.ready and plane.known_metadata("m") is not None
        assert await ask(plane, "m") == "w"
        assert word.loads == ["w", "w"]

    play(act)


def test_with_a_budget_the_model_asked_for_longest_ago_makes_room(
    play: Any, folder: Any, config: Any, ask: Any, word: Any
) -> None:
    folders = [folder(name, name.upper()) for name in "abc"]
    for each in folders:
        with (each.path / "openvino_model.bin").open("wb") as file:
            file.truncate(100 << 20)
    config.names(*folders, lazy_load=True)

    async def act(repository: Repository, plane: DataPlane) -> None:
        assert [await ask(plane, name) for name in "aba"] == ["A", "B", "A"]
        assert await ask(plane, "c") == "C"
        assert sorted(word.in_memory) == ["A", "C"]
        answers = await asyncio.gather(*(ask(plane, name) for name in "abcabcabc"))
        assert answers == list("ABCABCABC")

    play(act, budget_bytes=250 << 20)


def test_a_model_larger_than_the_budget_is_served_with_a_warning(
    play: Any, folder: Any, config: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    m = folder("m", "w")
    (m.path / "openvino_model.bin").write_bytes(bytes(100))
    config.names(m)

    async def act(repository: Repository, plane: DataPlane) -> None:
        assert await ask(plane, "m") == "w"
        assert "is loaded into a memory budget" in caplog.text

    play(act, budget_bytes=1)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)

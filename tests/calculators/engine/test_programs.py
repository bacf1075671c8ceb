"""Programs of one model: which one runs a dispatch, and when they are gone."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from calcgraph.calculators.engine import Engine
from calcgraph.calculators.engine.compiled import Request
from calcgraph.calculators.engine.device import complete_config, streams_of
from calcgraph.calculators.engine.engine import BUDGET_A_THREAD
from calcgraph.calculators.engine.programs import MEMORY, Programs, Shapes, affordable
from calcgraph.calculators.engine.shapes import Shape, packed_table

TWO_THREADS = {"INFERENCE_NUM_THREADS": 2}
Open = Callable[..., Engine]


def streams(request: Request) -> int:
    return int(request.program.compiled.get_property("NUM_STREAMS"))


def test_dispatches_run_side_by_side_and_a_lone_one_on_all_threads(open_tiny: Open) -> None:
    engine = open_tiny("bert", plugin_config=TWO_THREADS)
    engine.warm_up()
    assert (engine.info.threads, engine.info.streams) == (2, 2)
    programs, shape = engine._worker.programs, engine.info.shapes[0]
    assert streams(programs.request(shape, alone=False)) == 2
    assert streams(programs.request(shape, alone=True)) == 1


def test_what_fits_one_dispatch_is_not_split_among_the_threads(open_tiny: Open) -> None:
    engine = open_tiny("bert", plugin_config=TWO_THREADS)
    engine.warm_up()
    text = [3] * 16
    few = BUDGET_A_THREAD // len(text)
    engine.submit([text] * few).result(30)
    assert engine.counts.dispatches == 1
    engine.submit([text] * 2 * few).result(30)
    assert engine.counts.dispatches == 3


def test_streams_are_affordable_where_a_second_program_is() -> None:
    assert affordable(2, MEMORY) == 2
    assert affordable(2, MEMORY + 1) == 1


def test_a_request_given_back_is_used_again_in_the_way_it_was_made_for(open_tiny: Open) -> None:
    engine = open_tiny("bert", plugin_config=TWO_THREADS)
    engine.warm_up()
    programs, shape = engine._worker.programs, engine.info.shapes[0]
    request = programs.request(shape, alone=True)
    programs.release(request)
    assert programs.request(shape, alone=False) is not request
    assert programs.request(shape, alone=True) is request


@pytest.mark.parametrize("told", [{"NUM_STREAMS": 1}, {"PERFORMANCE_HINT": "LATENCY"}])
def test_streams_that_the_graph_chose_are_the_only_ones(told: dict[str, str | int]) -> None:
    assert streams_of(["CPU"], {**TWO_THREADS, **told}) == 1
    assert complete_config(["CPU"], told, 2).items() >= told.items()
    assert streams_of(["CPU"], TWO_THREADS) == 2
    assert streams_of(["GPU"], {}) == 1


def test_what_is_compiled_is_what_memory_allows() -> None:
    table = packed_table(256, 1024, row=128)

    def compiled(weight_bytes: int) -> list[Shapes]:
        def refuse(shapes: Shapes, streams: int) -> None:
            raise AssertionError

        programs = Programs(refuse, table, streams=2, weight_bytes=weight_bytes)  # type: ignore[arg-type]
        return [shapes for shapes, _ in programs._more]

    assert compiled(MEMORY + 1) == []
    assert compiled(MEMORY) == [table]
    assert compiled(MEMORY // 3) == [table, Shape(32, 1, 8), Shape(64, 1, 16)]


def test_a_closed_engine_is_garbage_with_all_that_openvino_holds(
    tiny: Callable[[str], Path],
) -> None:
    with Engine.open(tiny("bert"), pooling="MEAN") as engine:
        engine.submit([[3, 4, 5]] * 100).result(20)
        programs = weakref.ref(engine._worker.programs)
    del engine
    gc.collect()
    assert programs() is None

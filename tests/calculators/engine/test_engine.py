"""The engine as its callers see it: right whatever the company, honest when it cannot, never stuck."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from calcgraph.calculators.engine import (
    BadTokenId,
    DeviceUnknown,
    EmptySequence,
    Engine,
    EngineClosed,
    InferenceFailed,
    Lane,
    ModelUnreadable,
    ModelUnsuitable,
    NotFinite,
    NotTokenIds,
    Pooling,
    PropertyUnknown,
    PropertyValueWrong,
    TooLong,
)
from calcgraph.calculators.engine.queue import Job
from calcgraph.calculators.engine.settle import Waiter

VOCAB, TABLE = 1000, 64
FAILS, NAN = 998, 999
SECONDS = 20.0
"""Nothing here takes that long; a test fails instead of hanging."""

Open = Callable[..., Engine]
Alone = Callable[[str, np.ndarray], np.ndarray]


def some_texts(count: int, seed: int = 0, longest: int = TABLE - 2) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(2, 30, random.integers(1, longest + 1)) for _ in range(count)]


# Right


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("bert", "packed"),
        ("roberta", "packed"),
        ("unmasked", "packed"),
        ("causal", "packed"),
        ("window", "packed"),
        ("stuck", "bucketed"),
        ("softmax", "packed"),
        ("deaf", "bucketed"),
    ],
)
def test_texts_in_any_mix_have_the_vectors_they_have_alone(
    kind: str, path: str, open_tiny: Open, alone: Alone
) -> None:
    engine = open_tiny(kind, pooling=None, max_tokens=TABLE - 2)
    assert engine.info.path == path, engine.info.why
    for seed, count in enumerate((1, 2, 7, 60)):
        texts = some_texts(count, seed)
        states = engine.submit(texts).result(SECONDS)
        for ids, state in zip(texts, states, strict=True):
            np.testing.assert_allclose(state, alone(kind, ids), atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "stuck"])
@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [
        (Pooling.CLS, lambda states: states[0]),
        (Pooling.LAST, lambda states: states[-1]),
        (Pooling.MEAN, lambda states: states.mean(0)),
    ],
)
def test_pooling_inside_the_model_equals_pooling_of_its_hidden_states(
    kind: str,
    pooling: Pooling,
    by_hand: Callable[[np.ndarray], np.ndarray],
    open_tiny: Open,
) -> None:
    texts = some_texts(50)
    states = open_tiny(kind, pooling=None).submit(texts).result(SECONDS)
    vectors = open_tiny(kind, pooling=pooling).submit(texts).result(SECONDS)
    units = open_tiny(kind, pooling=pooling, normalize=True).submit(texts).result(SECONDS)
    for state, vector, unit in zip(states, vectors, units, strict=True):
        expected = by_hand(state)
        np.testing.assert_allclose(vector, expected, atol=1e-6)
        np.testing.assert_allclose(unit, expected / np.linalg.norm(expected), atol=1e-6)


def test_ids_of_padding_inside_a_text_are_numbered_as_the_model_does(
    open_tiny: Open, alone: Alone
) -> None:
    engine = open_tiny("roberta", pooling=None)
    texts = [np.array([5, 1, 7]), np.array([1, 1]), np.array([9, 8, 1])]
    for ids, state in zip(texts, engine.submit(texts).result(SECONDS), strict=True):
        np.testing.assert_allclose(state, alone("roberta", ids), atol=1e-5)


def test_the_answer_is_float32_in_the_order_of_the_texts(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    texts = some_texts(40)
    together = engine.submit(texts).result(SECONDS)
    assert isinstance(together, np.ndarray)
    assert (together.dtype, together.shape) == (np.float32, (40, engine.info.dimensions))
    one_by_one = np.concatenate([engine.submit([t]).result(SECONDS) for t in texts])
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)


def test_lists_of_ints_are_fine_and_no_texts_give_no_vectors(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    engine.warm_up()
    listed = engine.submit([[3, 4, 5]]).result(SECONDS)
    np.testing.assert_array_equal(listed, engine.submit([np.array([3, 4, 5])]).result(SECONDS))
    assert np.shape(engine.submit([]).result(SECONDS)) == (0, engine.info.dimensions)


def test_what_was_found_out_about_the_model_is_said(open_tiny: Open) -> None:
    info = open_tiny("roberta", plugin_config={"INFERENCE_NUM_THREADS": 1}).info
    assert (info.vocab_size, info.dimensions, info.max_tokens) == (VOCAB, 16, TABLE - 2)
    assert (info.precision, info.threads, info.streams, info.device) == ("f32", 1, 1, "CPU")
    assert info.inputs == ("input_ids", "attention_mask")


def test_which_way_a_model_runs_and_why_is_said(open_tiny: Open) -> None:
    assert "packed rows equal single texts" in open_tiny("bert").info.why
    assert "its packed form fails: it differs" in open_tiny("stuck").info.why
    assert "no packing: it has neither" in open_tiny("deaf").info.why


# Many at once


def test_many_coroutines_and_threads_each_get_their_own(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    requests = [some_texts(1 + i % 5, seed=i, longest=20) for i in range(150)]
    expected = [engine.submit(texts).result(SECONDS) for texts in requests]

    async def from_coroutines() -> list[np.ndarray]:
        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*(engine.submit_async(texts) for texts in requests))

    futures: list[Future[np.ndarray]] = []

    def from_a_thread() -> None:
        futures.extend(engine.submit(texts) for texts in requests)

    thread = threading.Thread(target=from_a_thread)
    thread.start()
    answers = asyncio.run(from_coroutines())
    thread.join()
    for got in (answers, [future.result(SECONDS) for future in futures]):
        for vectors, wanted in zip(got, expected, strict=True):
            np.testing.assert_allclose(vectors, wanted, atol=1e-5)


def test_a_request_larger_than_any_batch_is_answered_whole(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    texts = some_texts(400)
    vectors = engine.submit(texts, lane=Lane.BULK).result(SECONDS)
    np.testing.assert_allclose(vectors[-3:], engine.submit(texts[-3:]).result(SECONDS), atol=1e-5)


def test_a_small_request_overtakes_a_large_one(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    large = engine.submit(some_texts(4000))
    engine.submit(some_texts(1)).result(SECONDS)
    assert not large.done()
    large.result(SECONDS)


def test_a_large_request_is_not_starved_by_small_ones(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    large = engine.submit(some_texts(1000))

    async def never_stop() -> None:
        async with asyncio.timeout(SECONDS):
            while not large.done():
                await asyncio.gather(*(engine.submit_async(some_texts(3)) for _ in range(30)))

    asyncio.run(never_stop())
    assert len(large.result(0)) == 1000


def test_a_cancelled_request_leaves_the_queue_and_nobody_else_does(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    first, second, third = (engine.submit(some_texts(n)) for n in (2000, 3000, 300))
    assert second.cancel()
    assert engine.waiting()[Lane.BULK] <= 2300
    assert len(first.result(SECONDS)) == 2000
    assert len(third.result(SECONDS)) == 300
    assert sum(engine.counts.texts.values()) < 2300 + 1000


def test_a_cancelled_task_takes_its_texts_along(open_tiny: Open) -> None:
    engine = open_tiny("bert")

    async def cancel_one() -> int:
        other = engine.submit_async(some_texts(1000))
        gone = engine.submit_async(some_texts(5000))
        gone.cancel()
        async with asyncio.timeout(SECONDS):
            return len(await other)

    assert asyncio.run(cancel_one()) == 1000
    assert engine.waiting() == {Lane.INTERACTIVE: 0, Lane.BULK: 0}
    assert sum(engine.counts.texts.values()) < 3000


def test_a_caller_whose_event_loop_is_gone_harms_nobody(open_tiny: Open) -> None:
    engine = open_tiny("bert")

    async def leave() -> None:
        engine.submit_async(some_texts(500))

    asyncio.run(leave())
    assert len(engine.submit(some_texts(2)).result(SECONDS)) == 2
    assert engine.ready


# Refused at once


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([[3], [[4, 5]]], NotTokenIds, "sequence 1: is not a list of token ids"),
        ([[0.5]], NotTokenIds, "sequence 0: is not a list of token ids"),
        ([[3], []], EmptySequence, "sequence 1: has no tokens, at least 1 is needed"),
        ([[3], [3] * 65], TooLong, "sequence 1: has 65 tokens, the model takes at most 64"),
        ([[3, 1000]], BadTokenId, "sequence 0: token 1 has id 1000, the model's ids are 0 to 999"),
        ([[3], [3, 2, -1]], BadTokenId, "sequence 1: token 2 has id -1, the model's ids are"),
    ],
)
def test_what_the_model_cannot_take_is_refused_before_anything_is_queued(
    texts: list[list[Any]], error: type[Exception], message: str, open_tiny: Open
) -> None:
    engine = open_tiny("bert")
    with pytest.raises(error, match=message):
        engine.submit(texts)
    assert engine.waiting() == {Lane.INTERACTIVE: 0, Lane.BULK: 0}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": "GPU"}, DeviceUnknown, "'GPU' is not available: OpenVINO finds CPU"),
        ({"device": "HETERO:CPU,FPGA"}, DeviceUnknown, "HETERO:CPU,FPGA"),
        (
            {"plugin_config": {"NUM_STREAM": 1}},
            PropertyUnknown,
            "no property 'NUM_STREAM' .* did you mean NUM_STREAMS",
        ),
        (
            {"plugin_config": {"INFERENCE_NUM_THREADS": "many"}},
            PropertyValueWrong,
            "CPU does not take INFERENCE_NUM_THREADS = 'many'",
        ),
        ({"max_tokens": 65}, ModelUnsuitable, "max_tokens is 65: .* positions for 1 to 64 tokens"),
        ({"pooling": "MAX"}, ValueError, "'MAX' is not a valid Pooling"),
    ],
)
def test_what_the_graph_asks_wrongly_is_told(
    options: dict[str, object], error: type[Exception], message: str, open_tiny: Open
) -> None:
    with pytest.raises(error, match=message):
        open_tiny("bert", **options)


def test_a_missing_or_damaged_model_is_named(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ModelUnreadable, match="there is no such file"):
        Engine.open(tmp_path, pooling="CLS")
    (tmp_path / "openvino_model.xml").write_text("<net")
    (tmp_path / "openvino_model.bin").write_bytes(b"")
    with pytest.raises(ModelUnreadable, match=r"openvino_model\.xml: "):
        Engine.open(tmp_path, pooling="CLS")
    xml = (tiny("bert") / "openvino_model.xml").read_bytes()
    (tmp_path / "openvino_model.xml").write_bytes(xml)
    with pytest.raises(ModelUnreadable, match=r"openvino_model\.xml: "):
        Engine.open(tmp_path, pooling="CLS")


def test_a_model_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    pixels = ov.opset13.parameter([1, 3, 4, 4], ov.Type.f32, name="pixels")
    pixels.output(0).get_tensor().set_names({"pixels"})
    model = ov.Model([ov.opset13.result(ov.opset13.relu(pixels))], [pixels], "picture")
    ov.save_model(model, tmp_path / "openvino_model.xml")
    with pytest.raises(ModelUnsuitable, match="has inputs pixels: expected input_ids"):
        Engine.open(tmp_path, pooling="CLS")


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", "MULTI:CPU", "HETERO:CPU"])
def test_virtual_devices_are_accepted(device: str, tiny: Callable[[str], Path]) -> None:
    with Engine.open(tiny("bert"), pooling="MEAN", device=device) as engine:
        assert engine.submit([[3, 4]]).result(SECONDS).shape == (1, 16)


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", "MULTI:CPU", "HETERO:CPU"])
def test_a_virtual_device_takes_the_properties_of_what_is_behind_it(
    device: str, open_tiny: Open
) -> None:
    engine = open_tiny("bert", device=device, plugin_config={"INFERENCE_NUM_THREADS": "1"})
    assert (engine.info.precision, engine.info.threads) == ("f32", 1)
    with pytest.raises(PropertyUnknown, match=r"has no property 'NUM_STREAM' .* NUM_STREAMS"):
        open_tiny("bert", device=device, plugin_config={"NUM_STREAM": 1})
    with pytest.raises(PropertyValueWrong, match="INFERENCE_PRECISION_HINT = 'f99'"):
        open_tiny("bert", device=device, plugin_config={"INFERENCE_PRECISION_HINT": "f99"})


@pytest.mark.parametrize(
    "config",
    [{"NUM_STREAMS": "2"}, {"PERFORMANCE_HINT": "THROUGHPUT"}, {"PERFORMANCE_HINT": "LATENCY"}],
)
def test_the_graph_has_the_last_word_on_streams(
    config: dict[str, str], open_tiny: Open, alone: Alone
) -> None:
    engine = open_tiny("bert", pooling=None, plugin_config=config)
    if "NUM_STREAMS" in config:
        assert engine.info.streams == 2
    texts = some_texts(200)
    for ids, state in zip(texts, engine.submit(texts).result(SECONDS), strict=True):
        np.testing.assert_allclose(state, alone("bert", ids), atol=1e-5)


def test_a_compiled_model_cache_is_used(tmp_path: Path, open_tiny: Open) -> None:
    open_tiny("bert", plugin_config={"CACHE_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir())


# Failure


@pytest.mark.parametrize(
    "config", [{}, {"INFERENCE_NUM_THREADS": 1}, {"NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2}]
)
def test_a_failed_inference_fails_its_texts_only_and_the_next_are_right(
    config: dict[str, int], open_tiny: Open
) -> None:
    engine = open_tiny("fails", plugin_config=config)
    texts = some_texts(30)
    expected = engine.submit(texts).result(SECONDS)
    bad = engine.submit([[3, FAILS]])
    after = [engine.submit([ids]) for ids in texts]
    with pytest.raises(InferenceFailed, match="OpenVINO"):
        bad.result(SECONDS)
    wait(after, SECONDS)
    for future, vector in zip(after, expected, strict=True):
        if future.exception(SECONDS) is None:
            np.testing.assert_allclose(future.result(), vector[None], atol=1e-5)
    again = engine.submit(texts).result(SECONDS)
    np.testing.assert_allclose(again, expected, atol=1e-5)
    assert engine.ready
    assert engine.counts.rebuilds == 1


def test_an_answer_of_the_wrong_shape_is_given_to_nobody(open_tiny: Open) -> None:
    engine = open_tiny("short", pooling=None)
    expected = engine.submit([[3, 4, 5]]).result(SECONDS)
    with pytest.raises(
        InferenceFailed, match=r"answered with shape \(1, 15, 16\), expected \(1, 16, 16\)"
    ):
        engine.submit([[3, FAILS]]).result(SECONDS)
    again = engine.submit([[3, 4, 5]]).result(SECONDS)
    np.testing.assert_allclose(again[0], expected[0], atol=1e-5)


def test_texts_that_gave_nan_only_for_their_neighbour_are_saved(
    open_tiny: Open, alone: Alone
) -> None:
    engine = open_tiny("nan")
    good, guilty = engine.submit(some_texts(3, longest=9)), engine.submit([[4, 5], [3, NAN]])
    with pytest.raises(NotFinite, match="sequence 1: "):
        guilty.result(SECONDS)
    for ids, vector in zip(some_texts(3, longest=9), good.result(SECONDS), strict=True):
        np.testing.assert_allclose(vector, alone("nan", ids).mean(0), atol=1e-5)


def test_a_text_that_got_past_the_checks_fails_alone_and_the_engine_lives(open_tiny: Open) -> None:
    """The thread meets an error nobody foresaw: a text longer than any row."""
    engine = open_tiny("bert")
    future: Future[np.ndarray] = Future()
    smuggled = Job([np.zeros(1000, np.int64)], Lane.INTERACTIVE, None, Waiter(future))
    engine._worker.put(smuggled)
    with pytest.raises(InferenceFailed, match="the engine failed"):
        future.result(SECONDS)
    assert len(engine.submit(some_texts(5)).result(SECONDS)) == 5
    assert engine.ready


class _Poisonous(list[Any]):
    """A result that ends the thread which writes it, as no Exception does."""

    def __setitem__(self, index: Any, value: Any) -> None:
        raise SystemExit


def test_a_thread_that_dies_is_followed_by_another(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    future: Future[np.ndarray] = Future()
    thread = engine._worker._thread
    poisoned = Job(some_texts(1), Lane.INTERACTIVE, None, Waiter(future))
    poisoned.result = _Poisonous()
    engine._worker.put(poisoned)
    with pytest.raises(InferenceFailed, match="the engine failed: SystemExit"):
        future.result(SECONDS)
    assert len(engine.submit(some_texts(5)).result(SECONDS)) == 5
    assert engine._worker._thread is not thread
    assert engine.ready


def test_a_callback_that_exits_takes_nobody_along(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    with engine._worker._changed:  # nothing is inferred before all is said
        futures = [engine.submit(some_texts(2)) for _ in range(20)]
        for future in futures:
            future.add_done_callback(lambda _: sys.exit(1))
    wait(futures, SECONDS)
    assert all(len(future.result(0)) == 2 for future in futures)
    assert engine.counts.rebuilds == 0


def test_no_engine_is_ready_while_it_is_compiled_anew(open_tiny: Open) -> None:
    engine = open_tiny("fails")
    programs = engine._worker.programs
    gate, compile_shapes = threading.Event(), programs._compile

    def compile_when_open(*args: Any) -> Any:
        assert gate.wait(SECONDS)
        return compile_shapes(*args)

    engine.warm_up()
    programs._compile = compile_when_open
    assert engine.ready
    with pytest.raises(InferenceFailed):
        engine.submit([[3, FAILS]]).result(SECONDS)
    assert not engine.ready
    later = engine.submit(some_texts(3))
    assert not engine.ready
    gate.set()
    assert len(later.result(SECONDS)) == 3
    assert engine.ready


# The end


def test_closing_answers_what_is_queued(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    future = engine.submit(some_texts(500))
    engine.close()
    assert len(future.result(0)) == 500
    assert not engine.ready
    with pytest.raises(EngineClosed):
        engine.submit([[3]])


def test_closing_in_a_hurry_fails_what_is_left(open_tiny: Open) -> None:
    engine = open_tiny("bert")
    futures = [engine.submit(some_texts(20_000)) for _ in range(2)]
    engine.close(timeout=0.01)
    for future in futures:
        assert isinstance(future.exception(SECONDS), EngineClosed)


def test_a_program_that_ends_without_closing_ends_well(tiny: Callable[[str], Path]) -> None:
    program = f"""
from pathlib import Path
from calcgraph.calculators.engine import Engine
engine = Engine.open(Path({str(tiny("bert"))!r}), pooling="MEAN")
engine.submit([[3] * 60] * 20_000)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")

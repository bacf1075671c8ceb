"""One run: which thread does what, and that it never hangs, leaks or loses anything."""

import asyncio
import gc
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from trial import Trial, inputs, node, options
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.timestamp import Timestamp

PROCESS = 'input_side_packet: "PROCESS:p"'


OTHERS = set()
"""Threads that were there before the test, such as those of a server that other tests share."""


@pytest.fixture(autouse=True)
def know_the_threads_of_others():
    OTHERS.clear()
    gc.collect()  # graphs of other tests that were dropped in a cycle
    OTHERS.update(threading.enumerate())


def own_threads():
    gc.collect()
    every = threading.enumerate()
    return [t for t in every if t.name.startswith("calcgraph") and t not in OTHERS]


def gone(threads, deadline=10):
    """Whether they end; a graph lets its threads go, it does not wait for them."""
    for thread in threads:
        thread.join(deadline)
    return not any(thread.is_alive() for thread in threads)


@trial("Waits")
class Waits(AnyToAny):
    """Waits for an asyncio event that nobody sets, or for the release of a side packet."""

    async def process(self, cc):
        await asyncio.Event().wait()


@trial("AwaitLambda")
class AwaitLambda(AnyToAny):
    async def process(self, cc):
        await cc.input_side_packets["PROCESS"].value(cc)


class TestThreads:
    def test_light_nodes_run_on_the_thread_that_feeds_them(self):
        """Rule X3."""
        seen = []
        trial_run = Trial(inputs("in") + node("Lambda", "in", "out", PROCESS))
        trial_run.start(p=lambda cc: seen.append(threading.get_ident()))
        trial_run.add("in", 0, 0)
        assert seen == [threading.get_ident()]
        trial_run.finish()
        assert gone(own_threads())

    def test_others_run_on_the_pool_that_is_given(self):
        with ThreadPoolExecutor(1, "mine") as pool:
            name = []
            trial_run = Trial(
                inputs("in") + node("ThreadLambda", "in", "out", PROCESS), thread_pool=pool
            )
            trial_run.start(p=lambda cc: name.append(threading.current_thread().name))
            trial_run.add("in", 0, 0)
            trial_run.finish()
        assert name[0].startswith("mine")
        assert gone(own_threads())

    def test_each_executor_has_threads_of_its_own(self):
        names = {}
        trial_run = Trial(
            'executor { name: "special" type: "ThreadPoolExecutor" options {'
            " [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 1 } } }\n"
            + inputs("in")
            + node("ThreadLambda", "in", "a", PROCESS + ' executor: "special"')
            + node("ThreadLambda", "in", "b", 'input_side_packet: "PROCESS:q"')
        )

        def note(which):
            return lambda cc: names.setdefault(which, threading.current_thread().name)

        trial_run.start(p=note("special"), q=note("default"))
        trial_run.add("in", 0, 0)
        trial_run.finish()
        assert "special" in names["special"]
        assert "default" in names["default"]

    def test_an_executor_of_the_application(self):
        with ThreadPoolExecutor(1, "brought") as pool:
            text = inputs("in") + node("WhichThread", "in", "out", 'executor: "mine"')
            trial_run = Trial(
                'executor { name: "mine" }\n' + text, "out", executors={"mine": pool}
            ).start()
            trial_run.add("in", 0, 0)
            trial_run.finish()
            assert trial_run.values("out") == [pool.submit(threading.get_ident).result()]

    @pytest.mark.parametrize("before", [True, False], ids=["before the packet", "while it waits"])
    def test_a_pool_that_is_shut_down_under_way_fails_the_run(self, before):
        entered, release, closed = threading.Event(), threading.Event(), []
        pool = ThreadPoolExecutor(1)
        extra = PROCESS + ' input_side_packet: "CLOSE:c" name: "first"'
        trial_run = Trial(inputs("in") + node("ThreadLambda", "in", "out", extra), thread_pool=pool)
        trial_run.start(p=lambda cc: None, c=lambda cc: closed.append(cc.timestamp))
        trial_run.idle()
        if before:
            pool.shutdown()
            trial_run.add("in", 0, 0)
        else:
            pool.submit(lambda: (entered.set(), release.wait(10)))
            assert entered.wait(10)
            trial_run.add("in", 0, 0)
            pool.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match='node "first" failed: the executor was shut down'):
            trial_run.graph.wait_until_done()
        assert closed == [Timestamp.DONE]
        release.set()

    def test_the_application_thread(self):
        """Rule X1: tasks run inside the calls that wait."""
        trial_run = Trial(
            'executor { type: "ApplicationThreadExecutor" }\n'
            + node("Count", "", "numbers", options(count=5))
            + node("WhichThread", "numbers", "out"),
            "out",
        ).start()
        assert trial_run.seen["out"] == []
        trial_run.graph.wait_until_done()
        assert trial_run.values("out") == [threading.get_ident()] * 5
        assert gone(own_threads())

    def test_threads_go_with_the_graph(self):
        """Rule A12."""
        before = own_threads()
        trial_run = Trial(
            inputs("in") + node("ThreadPass", "in", "a") + node("AsyncPass", "a", "out"), "out"
        ).start()
        for time in range(10):
            trial_run.add("in", time, time)
        trial_run.idle()
        threads = [t for t in own_threads() if t not in before]
        assert len(threads) >= 2
        del trial_run  # not closed
        gc.collect()
        assert gone(threads)

    def test_threads_go_when_the_graph_is_closed(self):
        trial_run = Trial(inputs("in") + node("ThreadPass", "in", "out"), "out").start()
        trial_run.add("in", 0, 0)
        trial_run.graph.close()
        assert gone(own_threads())
        trial_run.start()
        trial_run.add("in", 1, 1)
        trial_run.graph.close()
        assert trial_run.values("out") == [0, 1]

    def test_downstream_first(self):
        """Rule D2: what is nearly done goes before what has just begun."""
        order = []
        trial_run = Trial(
            inputs("in")
            + "".join(
                node("Lambda", read, write, f'input_side_packet: "PROCESS:{write}"')
                for read, write in (("in", "a"), ("a", "b"), ("in", "c"))
            )
        )

        def step(name):
            def process(cc):
                order.append((name, int(cc.timestamp)))
                cc.outputs[0].add_packet(cc.inputs[0])

            return process

        feeder = trial_run.graph

        def first(cc):
            step("a")(cc)
            if cc.timestamp == 0:
                trial_run.add("in", 1, 1)

        assert feeder
        trial_run.start(a=first, b=step("b"), c=step("c"))
        trial_run.add("in", 0, 0)
        trial_run.finish()
        assert order.index(("b", 0)) < order.index(("a", 1))


class TestReentrance:
    @pytest.mark.parametrize("kind", ["Lambda", "ThreadLambda"])
    def test_a_calculator_may_feed_its_own_graph(self, kind):
        trial_run = Trial(
            inputs("in", "more") + node(kind, "in", "x", PROCESS) + node("Pass", "more", "out"),
            "out",
        )
        trial_run.start(p=lambda cc: trial_run.add("more", cc.inputs[0].value, int(cc.timestamp)))
        for time in range(50):
            trial_run.add("in", time, time)
        trial_run.idle()
        trial_run.finish()
        assert trial_run.seen["out"] == [(time, time) for time in range(50)]

    def test_an_observer_may_feed_its_own_graph_however_full_it_is(self):
        trial_run = Trial("max_queue_size: 1\n" + inputs("in") + node("Pass", "in", "out"), "out")

        def again(name, packet):
            if packet.value < 300:
                trial_run.add("in", packet.value + 1, packet.value + 1)

        trial_run.graph.observe_output_stream("out", again)
        trial_run.start()
        trial_run.add("in", 0, 0)
        trial_run.finish()
        assert trial_run.values("out") == list(range(301))

    @pytest.mark.parametrize("deed", ["wait_until_idle", "wait_until_done"])
    def test_a_calculator_cannot_wait_for_its_own_graph(self, deed):
        trial_run = Trial(inputs("in") + node("Lambda", "in", "x", PROCESS))
        trial_run.start(p=lambda cc: getattr(trial_run.graph, deed)())
        trial_run.add("in", 0, 0)
        with pytest.raises(ValueError, match="cannot wait for the graph that is calling it"):
            trial_run.idle()
        trial_run.graph.cancel()

    def test_a_calculator_may_cancel_its_own_graph(self):
        trial_run = Trial(inputs("in") + node("Lambda", "in", "x", PROCESS))
        trial_run.start(p=lambda cc: trial_run.graph.cancel())
        trial_run.add("in", 0, 0)
        with pytest.raises(RuntimeError) as failure:
            trial_run.graph.wait_until_done()
        assert failure.value.code == Code.CANCELLED

    def test_many_threads_may_feed_one_graph(self):
        names = [f"in{n}" for n in range(8)]
        trial_run = Trial(
            inputs(*names) + "".join(node("Pass", n, f"out_{n}") for n in names),
            *[f"out_{n}" for n in names],
        ).start()

        def feed(name):
            for time in range(500):
                trial_run.add(name, time, time)

        feeders = [threading.Thread(target=feed, args=(name,)) for name in names]
        for feeder in feeders:
            feeder.start()
        assert gone(feeders)
        trial_run.finish()
        for name in names:
            assert trial_run.values(f"out_{name}") == list(range(500))


class TestLoops:
    def test_async_nodes_are_tasks_of_the_running_loop(self):
        async def main():
            loops, threads = [], []

            async def work(cc):
                await asyncio.sleep(0)
                loops.append(asyncio.get_running_loop())
                cc.outputs[0].add_packet(cc.inputs[0])

            extra = PROCESS
            trial_run = Trial(
                inputs("in")
                + node("AwaitLambda", "in", "a", extra)
                + node("ThreadPass", "a", "out")
            )
            trial_run.graph.observe_output_stream(
                "out", lambda name, packet: threads.append(threading.get_ident())
            )
            trial_run.start(p=work)
            for time in range(5):
                trial_run.add("in", time, time)
            await trial_run.graph.until_idle()
            assert loops == [asyncio.get_running_loop()] * 5
            assert threads == [threading.get_ident()] * 5
            trial_run.graph.close_all_packet_sources()
            await trial_run.graph.until_done()

        asyncio.run(main())

    def test_blocking_the_loop_that_async_nodes_need_is_refused(self):
        async def main():
            trial_run = Trial(inputs("in") + node("AsyncPass", "in", "out")).start()
            trial_run.add("in", 0, 0)
            with pytest.raises(ValueError, match="would block the event loop"):
                trial_run.graph.wait_until_idle()
            await trial_run.graph.until_idle()
            trial_run.finish()

        asyncio.run(main())

    def test_threads_alone_may_be_waited_for_on_a_loop(self):
        """A notebook runs a loop; code written for MediaPipe works in it."""

        async def main():
            trial_run = Trial(inputs("in") + node("ThreadPass", "in", "out"), "out").start()
            for time in range(20):
                trial_run.add("in", time, time)
                trial_run.graph.wait_until_idle()
            trial_run.finish()
            assert trial_run.values("out") == list(range(20))

        asyncio.run(main())

    def test_cancelling_cancels_the_tasks(self):
        async def main():
            trial_run = Trial(inputs("in") + node("Waits", "in", "out")).start()
            trial_run.add("in", 0, 0)
            await asyncio.sleep(0)
            trial_run.graph.cancel()
            with pytest.raises(StatusError) as failure:
                await trial_run.graph.until_done()
            assert failure.value.code == Code.CANCELLED
            assert str(failure.value).count("Cancel") == 1
            assert len(asyncio.all_tasks()) == 1

        asyncio.run(main())

    def test_cancelling_cancels_the_tasks_of_a_loop_of_its_own(self):
        trial_run = Trial(inputs("in") + node("Waits", "in", "out")).start()
        trial_run.add("in", 0, 0)
        threads = own_threads()
        trial_run.graph.cancel()
        with pytest.raises(StatusError) as failure:
            trial_run.graph.wait_until_done()
        assert failure.value.code == Code.CANCELLED
        assert gone(threads)

    def test_a_task_that_somebody_else_cancels_is_an_error_of_its_node(self):
        async def main():
            trial_run = Trial(inputs("in") + node("Waits", "in", "out")).start()
            trial_run.add("in", 0, 0)
            await asyncio.sleep(0)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            with pytest.raises(RuntimeError, match='node "Waits" failed: CancelledError'):
                await trial_run.graph.until_done()

        asyncio.run(main())

    def test_a_loop_that_ended_before_the_graph(self):
        trial_run = Trial(inputs("in") + node("AsyncPass", "in", "out"))

        async def main():
            trial_run.start()

        asyncio.run(main())
        trial_run.add("in", 0, 0)
        with pytest.raises(
            RuntimeError, match='node "AsyncPass" failed: RuntimeError: Event loop is closed'
        ):
            trial_run.graph.wait_until_done()

    def test_open_and_close_may_be_async_too(self):
        calls = []

        async def note(cc):
            await asyncio.sleep(0)
            calls.append(int(cc.timestamp))

        trial_run = Trial(
            inputs("in")
            + node(
                "Lambda",
                "in",
                "out",
                PROCESS + ' input_side_packet: "OPEN:p" input_side_packet: "CLOSE:p"',
            )
        ).start(p=note)
        trial_run.add("in", 0, 7)
        trial_run.finish()
        assert len(calls) == 3
        assert calls[1] == 7

    @pytest.mark.parametrize("kind", ["Pass", "ThreadPass", "AsyncPass"])
    def test_a_backlog_leaves_nothing_behind(self, kind):
        trial_run = Trial("max_queue_size: -1\n" + inputs("in") + node(kind, "in", "out"), "out")
        trial_run.start()
        for time in range(300):
            trial_run.add("in", time, time)
        trial_run.idle()
        assert len(trial_run.seen["out"]) == 300
        assert not trial_run.graph._run.nodes[0]._pending
        trial_run.finish()


class TestInterrupts:
    def test_ctrl_c_on_the_application_thread_reaches_the_application(self):
        def stop(cc):
            raise KeyboardInterrupt

        trial_run = Trial(
            'executor { type: "ApplicationThreadExecutor" }\n'
            + inputs("in")
            + node("ThreadLambda", "in", "out", PROCESS)
        ).start(p=stop)
        trial_run.add("in", 0, 0)
        with pytest.raises(KeyboardInterrupt):
            trial_run.idle()
        with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
            trial_run.graph.wait_until_done()

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
    @pytest.mark.parametrize("kind", ["Lambda", "ThreadLambda"])
    def test_what_is_no_exception_does_not_wedge_the_graph(self, kind, error):
        def stop(cc):
            raise error

        trial_run = Trial(inputs("in") + node(kind, "in", "out", PROCESS)).start(p=stop)
        if error is KeyboardInterrupt and kind == "Lambda":
            with pytest.raises(KeyboardInterrupt):
                trial_run.add("in", 0, 0)
        else:
            trial_run.add("in", 0, 0)
        with pytest.raises(RuntimeError, match=f'node "{kind}" failed: {error.__name__}'):
            trial_run.graph.wait_until_done()

    def test_ctrl_c_while_waiting(self):
        release = threading.Event()
        trial_run = Trial(inputs("in") + node("ThreadLambda", "in", "out", PROCESS)).start(
            p=lambda cc: (os.kill(os.getpid(), signal.SIGINT), release.wait(10))
        )
        with pytest.raises(KeyboardInterrupt):
            trial_run.add("in", 0, 0)
            trial_run.idle()
        release.set()
        trial_run.finish()

    def test_a_mistake_of_the_scheduler_itself_ends_the_run(self):
        closed = []
        trial_run = Trial(
            inputs("in")
            + node("Pass", "in", "out")
            + node("Lambda", "in", "x", 'input_side_packet: "CLOSE:c"')
        ).start(c=lambda cc: closed.append(cc.timestamp))
        trial_run.graph._run.nodes[0]._ports = None
        with pytest.raises(TypeError):
            trial_run.add("in", 0, 0)
        with pytest.raises(RuntimeError, match="the run broke off: TypeError"):
            trial_run.graph.wait_until_done()
        assert closed == [Timestamp.DONE]


def spin(chance):
    for _ in range(chance.randrange(30)):
        os.sched_yield()


def straggle(seed):
    """Fan-out to nodes of random slowness, joined again, with drops on the way."""
    chance = random.Random(seed)
    width = chance.randrange(2, 5)
    kinds = ["ThreadLambda", "Lambda"]
    text = f"num_threads: 4\nmax_queue_size: {chance.choice([1, 2, 100])}\n" + inputs("in")
    functions = {}
    for branch in range(width):
        depth = chance.randrange(1, 4)
        names = ["in", *(f"b{branch}_{d}" for d in range(depth))]
        for read, write in itertools.pairwise(names):
            in_flight = chance.choice([1, 1, 3])
            text += node(
                chance.choice(kinds),
                read,
                write,
                f'input_side_packet: "PROCESS:{write}" input_side_packet: "OPEN:offset"'
                f" max_in_flight: {in_flight}",
            )
            functions[write] = slow(branch, random.Random(seed + len(functions)))
        text += node("Pass", names[-1], f"end{branch}")
    ends = " ".join(f"end{branch}" for branch in range(width))
    trial_run = Trial(text + node("Merge", ends, "out"), "out")
    trial_run.start(offset=lambda cc: cc.set_offset(0), **functions)
    for time in range(30):
        trial_run.add("in", time, time)
    trial_run.finish()
    expected = []
    for time in range(30):
        values = [time if passes(branch, time) else "empty" for branch in range(width)]
        if any(value != "empty" for value in values):
            expected.append((f"{time}: {' '.join(map(str, values))}", time))
    assert trial_run.seen["out"] == expected


def passes(branch, value):
    return (value + branch) % (branch + 2) != 0


def slow(branch, chance):
    def process(cc):
        spin(chance)
        if passes(branch, cc.inputs[0].value):
            cc.outputs[0].add_packet(cc.inputs[0])

    return process


@pytest.mark.parametrize("seed", range(20))
def test_stragglers_never_change_the_answer(seed):
    straggle(seed)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(30))
def test_stragglers_never_change_the_answer_in_thousands_of_runs(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        straggle(seed)


def test_graphs_that_wait_for_each_other_do_not_deadlock():
    """Two graphs that feed each other from their observers, on two threads."""
    graphs = [Trial(inputs("in") + node("ThreadPass", "in", "out"), "out") for _ in range(2)]

    def forward(to):
        def callback(name, packet):
            if packet.value < 200:
                to.add("in", packet.value + 1, packet.value + 1)

        return callback

    graphs[0].graph.observe_output_stream("out", forward(graphs[1]))
    graphs[1].graph.observe_output_stream("out", forward(graphs[0]))
    for each in graphs:
        each.start()
    graphs[0].add("in", 0, 0)
    graphs[0].graph._run.wait(lambda: 200 in graphs[0].values("out"))
    for each in graphs:
        each.finish()
    assert graphs[0].values("out") == list(range(0, 201, 2))


def test_the_idle_callback_comes_when_the_graph_waits_for_packets():
    rests = []
    trial_run = Trial(inputs("in") + node("EvenFilter", "in", "out"), "out")
    trial_run.graph.set_idle_callback(lambda: rests.append(len(trial_run.seen["out"])))
    trial_run.start()
    trial_run.add("in", 2, 2)
    trial_run.add("in", 3, 3)
    assert rests == [0, 1, 1]
    trial_run.finish()


def test_starting_many_graphs_of_one_plan():
    plan = Trial(inputs("in") + node("Pass", "in", "out")).graph.plan
    graphs = [CalculatorGraph(plan=plan) for _ in range(100)]
    for graph in graphs:
        graph.start_run()
    for graph in graphs:
        graph.close()
    assert gone(own_threads())


def test_nobody_is_kept_busy_by_a_source_for_ever():
    """An endless source on a thread, and light nodes behind it that are slower than it is."""
    trial_run = Trial(
        "num_threads: 2\n"
        + inputs("in")
        + node("Endless", "", "numbers")
        + node("Lambda", "numbers", "a", PROCESS)
        + node("Pass", "in", "out"),
        "out",
    )
    trial_run.start(p=lambda cc: sum(range(2000)))
    for time in range(50):
        trial_run.add("in", time, time)
    trial_run.graph._run.wait(lambda: len(trial_run.seen["out"]) == 50)
    trial_run.graph.cancel()
    with pytest.raises(RuntimeError, match="Cancel"):
        trial_run.graph.wait_until_done()


def test_a_loop_is_not_kept_busy_by_a_source_for_ever():
    async def main():
        trial_run = Trial(node("Endless", "", "numbers") + node("Lambda", "numbers", "a", PROCESS))
        trial_run.start(p=lambda cc: sum(range(2000)))
        for _ in range(20):
            await asyncio.sleep(0)
        trial_run.graph.cancel()
        with pytest.raises(RuntimeError, match="Cancel"):
            await trial_run.graph.until_done()

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["Endless", "Count"])
def test_a_program_ends_with_graphs_that_still_run(kind):
    """Sources, threads and a loop of their own, none of them closed."""
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent / "helpers")!r})
from trial import Trial, inputs, node
kept = [Trial(node({kind!r}, "", "numbers")).start()]
kept.append(Trial(node({kind!r}, "", "numbers") + node("ThreadPass", "numbers", "out")).start())
for kind in ("Pass", "ThreadPass", "AsyncPass"):
    kept.append(Trial(inputs("in") + node(kind, "in", "out")).start())
    kept[-1].add("in", 0, 0)
print("the end")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")

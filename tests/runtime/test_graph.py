"""A graph as an application meets it."""

import asyncio

import pytest
from trial import Trial, inputs, node, options
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.calculator import STOP
from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import DONE, POST_STREAM, PRE_STREAM, Timestamp

PASS = inputs("in") + node("Pass", "in", "out")
KINDS = ["Pass", "ThreadPass", "AsyncPass"]


class TestFeeding:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_packet_is_through_when_the_graph_is_idle(self, kind):
        """Case EV1. Rule A9."""
        trial = Trial(
            inputs("in") + node(kind, "in", "a") + node("PlusOne", "a", "out"), "out"
        ).start()
        for time in range(100):
            trial.add("in", time, time)
            trial.idle()
            assert trial.seen["out"][-1] == (time + 1, time)
        for time in range(100, 200):
            trial.add("in", time, time)
        trial.finish()
        assert trial.seen["out"] == [(time + 1, time) for time in range(200)]

    @pytest.mark.parametrize("kind", ["Fail", "ThreadFail", "AsyncFail"])
    def test_a_failure_shows_at_a_later_packet(self, kind):
        """Case EV2. Rules A6, A10, E2."""
        trial = Trial(inputs("in") + node(kind, "in", "out", options(time=9))).start()
        with pytest.raises(RuntimeError, match=r"Graph has errors: .*told to fail"):
            for time in range(10_000):
                trial.add("in", time, time)
        assert trial.graph.has_error()
        assert "told to fail" in trial.graph.get_combined_error_message()
        assert trial.graph.get_combined_error_message().startswith(
            "UNKNOWN: CalculatorGraph::Run() failed: "
        )
        with pytest.raises(RuntimeError, match=r"CalculatorGraph::Run\(\) failed: .*told to fail"):
            trial.graph.wait_until_done()
        assert not trial.graph.has_error()

    def test_before_start_run(self):
        """Case GA1. Rules A6, A9."""
        graph = Trial(PASS).graph
        for deed in (
            lambda: graph.add_packet_to_input_stream("in", Packet(1, 1)),
            lambda: graph.close_input_stream("in"),
            graph.wait_until_idle,
            graph.wait_until_done,
        ):
            with pytest.raises(ValueError, match=r"before StartRun") as failure:
                deed()
            assert failure.value.code == Code.FAILED_PRECONDITION

    def test_a_graph_input_with_a_tag_is_addressed_by_its_name(self):
        """Case GA1."""
        trial = Trial(
            inputs("VIDEO_METADATA:video_metadata") + node("Pass", "video_metadata", "out"), "out"
        ).start()
        trial.add("video_metadata", 1, 1)
        trial.finish()
        assert trial.values("out") == [1]

    def test_an_unknown_stream(self):
        """Rule A6."""
        trial = Trial(PASS).start()
        for deed in (
            lambda: trial.add("out", 1, 1),
            lambda: trial.bound("out", 1),
            lambda: trial.graph.close_input_stream("out"),
        ):
            with pytest.raises(RuntimeError, match="not a graph input stream") as failure:
                deed()
            assert failure.value.code == Code.INTERNAL
        trial.finish()

    @pytest.mark.parametrize("time", [DONE, Timestamp.UNSET, Timestamp.ONE_OVER_POSTSTREAM])
    def test_a_time_that_cannot_be_does_not_fail_the_run(self, time):
        trial = Trial(PASS).start()
        with pytest.raises(ValueError, match="can't be the timestamp of a Packet in a stream"):
            trial.graph.add_packet_to_input_stream("in", Packet(1, int(time)))
        trial.finish()

    def test_time_that_goes_back_is_told_at_once_and_fails_the_run(self):
        """Rule A6."""
        trial = Trial(PASS).start()
        trial.add("in", 1, 20)
        with pytest.raises(ValueError, match="expected timestamp is 21 but received 10"):
            trial.add("in", 1, 10)
        with pytest.raises(ValueError, match="21 but received 10"):
            trial.graph.wait_until_done()

    @pytest.mark.parametrize(("first", "then"), [(PRE_STREAM, 1), (1, POST_STREAM)])
    def test_special_times_stand_alone(self, first, then):
        trial = Trial(PASS).start()
        trial.add("in", 1, first)
        with pytest.raises(ValueError, match="PostStream"):
            trial.add("in", 1, then)
        trial.graph.cancel()

    def test_the_wrong_type_fails_the_run(self):
        """Rule A6."""
        trial = Trial(inputs("in", "gate") + node("Valve", "in GATE:gate", "out")).start()
        with pytest.raises(ValueError, match="expected bool, found int"):
            trial.add("gate", 7, 1)
        with pytest.raises(ValueError, match="expected bool"):
            trial.graph.wait_until_done()

    def test_a_closed_stream_takes_no_packets_and_closing_again_is_no_mistake(self):
        """Rule A8."""
        trial = Trial(inputs("in", "other") + node("Pass", "in other", "a b")).start()
        trial.graph.close_input_stream("in")
        trial.graph.close_input_stream("in")
        with pytest.raises(ValueError, match="Packet sent to closed stream"):
            trial.add("in", 1, 1)
        trial.graph.cancel()

    def test_an_empty_packet_is_a_bound(self):
        trial = Trial(inputs("in", "other") + node("Pass", "in other", "a b"), "b").start()
        trial.add("other", "x", 5)
        trial.graph.add_packet_to_input_stream("in", Packet(timestamp=5))
        assert trial.seen["b"] == [("x", 5)]
        trial.finish()

    def test_the_time_given_beats_the_packets_own(self):
        trial = Trial(PASS, "out").start()
        packet = Packet("x", 3)
        trial.graph.add_packet_to_input_stream("in", packet)
        trial.graph.add_packet_to_input_stream("in", packet, 8)
        trial.finish()
        assert trial.times("out") == [3, 8]


class TestEnding:
    def test_cancel_with_open_inputs(self):
        """Case GA2. Rule A12."""
        trial = Trial(PASS).start()
        trial.graph.cancel()
        with pytest.raises(RuntimeError) as failure:
            trial.graph.wait_until_done()
        assert failure.value.code == Code.CANCELLED

    def test_cancel_with_queued_work(self):
        """Case GA2. Rule A12."""
        trial = Trial(inputs("in") + node("ThreadPass", "in", "out")).start()
        for time in range(50):
            trial.add("in", time, time)
        trial.graph.cancel()
        with pytest.raises(RuntimeError) as failure:
            trial.graph.wait_until_done()
        assert failure.value.code == Code.CANCELLED

    @pytest.mark.parametrize("method", ["open", "process", "close"])
    def test_a_failed_run_leaves_the_graph_as_good_as_new(self, method):
        """Case GA4. Rules A10, A14."""
        fail = []

        def perhaps(cc):
            if fail:
                raise ValueError("told to fail")

        tag = method.upper()
        trial = Trial(
            inputs("in")
            + node("Lambda", "in", "x", f'input_side_packet: "{tag}:f"')
            + node("Pass", "in", "out"),
            "out",
        )

        def run():
            trial.clear()
            trial.start(f=perhaps)
            trial.add("in", "value", 5)
            trial.finish()
            assert trial.seen["out"] == [("value", 5)]

        run()
        fail.append(True)
        with pytest.raises(RuntimeError, match=f"{method.title()}.. for node"):
            run()
        trial.graph.cancel()
        if trial.graph._run is not None:
            with pytest.raises(RuntimeError):
                trial.graph.wait_until_done()
        fail.clear()
        run()

    def test_the_block_of_a_with_statement_closes_the_graph(self):
        trial = Trial(PASS, "out")
        with trial.graph:
            trial.start()
            trial.add("in", 1, 1)
        assert trial.values("out") == [1]
        with pytest.raises(KeyError), trial.graph:
            trial.start()
            raise KeyError("what left the block is what is seen")
        trial.graph.close()

    def test_starting_twice(self):
        trial = Trial(PASS).start()
        with pytest.raises(ValueError, match="is running"):
            trial.start()
        trial.finish()

    def test_what_comes_before_a_run(self):
        """Rule A1."""
        graph = Trial(PASS).start().graph
        for deed in (
            lambda: graph.observe_output_stream("out", print),
            lambda: graph.add_output_stream_poller("out"),
            lambda: graph.set_service("key", 1),
            lambda: graph.set_idle_callback(print),
        ):
            with pytest.raises(ValueError, match="comes before start_run"):
                deed()
        graph.close()

    def test_errors_of_an_idle_graph_end_the_run_at_once(self):
        """Rule D9."""
        trial = Trial(PASS).start()
        trial.add("in", 1, 9)
        with pytest.raises(ValueError, match="received 3"):
            trial.add("in", 1, 3)
        assert trial.graph._run.done


class TestErrors:
    def test_the_error_callback(self):
        """Case ER1. Rule E3."""
        heard = []
        trial = Trial(inputs("in") + node("Fail", "in", "out"))
        trial.graph.set_error_callback(
            lambda error: heard.append((trial.graph.has_error(), str(error)))
        )
        trial.start()
        trial.add("in", 0, 0)
        with pytest.raises(ValueError, match="comes before start_run"):
            trial.graph.set_error_callback(print)
        with pytest.raises(RuntimeError):
            trial.graph.wait_until_done()
        assert heard == [
            (True, 'Calculator::Process() for node "Fail" failed: ValueError: told to fail')
        ]

    def test_the_error_callback_hears_of_open_too(self):
        """Case ER1. Rule E3."""
        heard = []
        trial = Trial(inputs("in") + node("Fail", "in", "out", options(method="open")))
        trial.graph.set_error_callback(lambda error: heard.append(str(error)))
        trial.start()
        with pytest.raises(RuntimeError, match="told to fail"):
            trial.graph.wait_until_done()
        assert len(heard) == 1

    def test_an_error_callback_that_raises_harms_nobody(self, caplog):
        trial = Trial(inputs("in") + node("Fail", "in", "out"))
        trial.graph.set_error_callback(lambda error: 1 / 0)
        trial.start()
        trial.add("in", 0, 0)
        with pytest.raises(RuntimeError, match="told to fail"):
            trial.graph.wait_until_done()
        assert "the error callback raised" in caplog.text

    @pytest.mark.parametrize(
        ("codes", "combined"),
        [
            ([Code.INVALID_ARGUMENT, Code.INVALID_ARGUMENT], Code.INVALID_ARGUMENT),
            ([Code.NOT_FOUND, Code.INVALID_ARGUMENT], Code.UNKNOWN),
        ],
    )
    def test_all_errors_of_a_run_are_told(self, codes, combined):
        """Case ER2. Rules E1, E2."""

        def fail(cc):
            raise status_error(codes[cc.inputs[0].value], f"error {cc.inputs[0].value}")

        trial = Trial(
            inputs("in", "in1")
            + node("Lambda", "in", "a", 'input_side_packet: "PROCESS:p"')
            + node("Lambda", "in", "b", 'input_side_packet: "PROCESS:q"')
        ).start(p=fail, q=lambda cc: fail_other(cc))

        def fail_other(cc):
            raise status_error(codes[1], "error 1")

        trial.add("in", 0, 0)
        with pytest.raises(StatusError) as failure:
            trial.graph.wait_until_done()
        assert failure.value.code == combined
        assert isinstance(failure.value, ValueError) == (combined == Code.INVALID_ARGUMENT)
        text = str(failure.value)
        assert text.startswith("CalculatorGraph::Run() failed:")
        assert "error 0" in text
        assert "error 1" in text

    def test_errors_are_counted_no_further_than_a_thousand(self):
        """Rule E4."""

        def flood(cc):
            for _ in range(3):
                cc.outputs[0].add(0, 5)

        trial = Trial(
            inputs("in")
            + node("Lambda", "in", "a", 'input_side_packet: "PROCESS:p"')
            + "".join(node("Pass", "a", f"x{n}") for n in range(700))
        ).start(p=flood)
        trial.add("in", 0, 0)
        assert len(trial.graph._run.errors) == 1000
        with pytest.raises(ValueError, match="received 5"):
            trial.graph.wait_until_done()


class TestConstruction:
    def test_one_description_of_the_graph(self, tmp_path):
        with pytest.raises(ValueError, match="Please provide one of the following"):
            CalculatorGraph()
        with pytest.raises(ValueError, match="Please provide one of the following"):
            CalculatorGraph(graph_config=PASS, binary_graph_path="x")
        with pytest.raises(FileNotFoundError):
            CalculatorGraph(binary_graph_path=tmp_path / "none.binarypb")

    def test_from_a_binary_file(self, tmp_path):
        original = Trial(PASS).graph
        path = tmp_path / "graph.binarypb"
        path.write_bytes(original.binary_config)
        again = CalculatorGraph(binary_graph_path=path)
        assert again.text_config == original.text_config
        assert CalculatorGraph(graph_config=original.plan.config).text_config == again.text_config

    def test_an_unknown_calculator(self):
        """Case GV1."""
        with pytest.raises(StatusError, match="Nobody"):
            Trial(inputs("in") + node("Nobody", "in", "out"))

    def test_resources_are_loaded_once_and_unloaded(self):
        loaded = LoadedCalculator.events = []
        trial = Trial(inputs("in") + node("Loaded", "in", "out"), "out")
        for _ in range(2):
            trial.start()
            trial.add("in", 0, 0)
            trial.finish()
        assert trial.values("out") == ["resource", "resource"]
        trial.graph.close()
        assert loaded == ["load", "unload"]

    @pytest.mark.parametrize("on_a_loop", [False, True])
    def test_an_async_unload_runs_to_its_end(self, on_a_loop):
        loaded = LoadedCalculator.events = []

        def run():
            trial = Trial(inputs("in") + node("LoadedAsync", "in", "out"), "out")
            trial.start()
            trial.add("in", 0, 0)
            trial.finish()
            trial.graph.close()

        async def on_the_loop():
            run()
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

        asyncio.run(on_the_loop()) if on_a_loop else run()
        assert loaded == ["load", "unload"]

    @pytest.mark.parametrize("method", ["__init__", "load"])
    def test_a_class_that_fails_before_the_run_names_node_and_method(self, method):
        trial_run = Trial(
            inputs("in") + node("Broken", "in", "out", f'name: "it" {options(method=method)}'),
            resources=None if method == "load" else {},
        )
        BrokenCalculator.method = method
        for _ in range(2):  # the graph can be started again, and fails again
            with pytest.raises(StatusError, match=rf'{method}\(\) for node "it" failed: OSError'):
                trial_run.start()
        BrokenCalculator.method = ""
        trial_run.start()
        trial_run.finish()

    def test_an_idle_callback_that_raises_fails_the_run(self):
        trial_run = Trial(PASS)
        trial_run.graph.set_idle_callback(lambda: 1 / 0)
        trial_run.start()
        with pytest.raises(RuntimeError, match="idle callback failed: ZeroDivisionError"):
            trial_run.graph.wait_until_done()

    def test_resources_given_are_used(self):
        LoadedCalculator.events = []
        trial = Trial(
            inputs("in") + node("Loaded", "in", "out"), "out", resources={0: "given"}
        ).start()
        trial.add("in", 0, 0)
        trial.finish()
        assert trial.values("out") == ["given"]
        assert LoadedCalculator.events == []


@trial("Loaded")
class LoadedCalculator(AnyToAny):
    @classmethod
    def load(cls, node, graph):
        cls.events.append("load")
        return "resource"

    @classmethod
    def unload(cls, resource):
        cls.events.append("unload")

    def process(self, cc):
        cc.outputs[0].add(cc.resource)


@trial("LoadedAsync")
class LoadedAsyncCalculator(LoadedCalculator):
    light = True

    @classmethod
    async def unload(cls, resource):
        await asyncio.sleep(0)
        cls.events.append("unload")


@trial("Broken")
class BrokenCalculator(AnyToAny):
    method = ""

    def __init__(self):
        if self.method == "__init__":
            raise OSError("told to fail")

    @classmethod
    def load(cls, node, graph):
        if cls.method == "load":
            raise OSError("told to fail")

    def process(self, cc):
        pass


COMPREHENSIVE = (
    # Written with readers before writers, so that it has to be sorted.
    node("Merge", "threes fives", "merged")
    + node(
        "Lambda",
        "threes",
        "mean",
        'input_side_packet: "PROCESS:keep" input_side_packet: "CLOSE:mean"',
    )
    + node(
        "Lambda",
        "fives",
        "sum",
        'input_side_packet: "PROCESS:add" input_side_packet: "CLOSE:total"',
    )
    + node("Pass", "A:mean B:0:sum", "A:mean_out B:0:sum_out")
    + node("Count", "", "threes", options(count=6, start=300, step=3))
    + node("Count", "", "fives", options(count=4, start=500, step=5))
)


@pytest.mark.parametrize(
    "variant",
    [
        "",
        "num_threads: 1\n",
        'executor { type: "ApplicationThreadExecutor" }\n',
        'executor { name: "one" type: "ThreadPoolExecutor" options {'
        " [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 1 } } }\n"
        'executor { type: "ThreadPoolExecutor" options {'
        " [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 2 } } }\n",
    ],
    ids=["default", "one thread", "application thread", "two executors"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_of_everything(variant, kind):
    """Case GA5: joins, means and sums at the ends of time, an unsorted graph, two runs and a failing one."""
    state = {}

    def keep(cc):
        state.setdefault("threes", []).append(cc.inputs[0].value)

    def add(cc):
        state["sum"] = state.get("sum", 0) + cc.inputs[0].value

    text = COMPREHENSIVE + node(kind, "merged", "merged_out")
    if "one" in variant:
        text = text.replace('"Merge"', '"Merge" executor: "one"')
    trial_run = Trial(variant + text, "merged_out", "mean_out", "sum_out")
    functions = {
        "keep": keep,
        "add": add,
        "mean": lambda cc: cc.outputs[0].add(sum(state["threes"]) / 6, PRE_STREAM),
        "total": lambda cc: cc.outputs[0].add(state["sum"], POST_STREAM),
    }
    for run in (1, 2):
        trial_run.clear()
        state.clear()
        trial_run.start(**functions)
        trial_run.graph.wait_until_done()
        assert trial_run.values("merged_out") == [
            "0: 300 500",
            "3: 301 empty",
            "5: empty 501",
            "6: 302 empty",
            "9: 303 empty",
            "10: empty 502",
            "12: 304 empty",
            "15: 305 503",
        ]
        assert trial_run.seen["mean_out"] == [(302.5, PRE_STREAM)]
        assert trial_run.seen["sum_out"] == [(2006, POST_STREAM)]
        passed = trial_run.graph.counters.values()
        assert sum(n for name, n in passed.items() if name.endswith("-PassThrough")) == run * 10

    def fail(cc):
        raise ValueError("told to fail")

    trial_run.start(**{**functions, "add": fail})
    with pytest.raises(RuntimeError, match="told to fail"):
        trial_run.graph.wait_until_done()


def test_stop_is_a_value_of_its_own():
    assert repr(STOP) == "STOP"

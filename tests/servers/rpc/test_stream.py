"""ModelStreamInfer: a graph for the life of a stream."""

import queue
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from calcgraph.proto import inference_pb2 as pb

SOON = 20.0
TIME = "OVMS_MP_TIMESTAMP"


class Stream:
    """One call, its requests sent when the test says so."""

    def __init__(self, stub: Any, **options: Any) -> None:
        self._requests: queue.SimpleQueue[pb.ModelInferRequest | None] = queue.SimpleQueue()
        self.call = stub.ModelStreamInfer(iter(self._requests.get, None), **options)

    def send(self, *requests: pb.ModelInferRequest) -> "Stream":
        for request in requests:
            self._requests.put(request)
        return self

    def close(self) -> "Stream":
        self._requests.put(None)
        return self

    def next(self) -> pb.ModelStreamInferResponse:
        return next(self.call)

    def answer(self) -> pb.ModelInferResponse:
        message = self.next()
        assert message.error_message == ""
        return message.infer_response

    def number(self) -> float:
        return number(self.answer())

    def rest(self) -> list[pb.ModelStreamInferResponse]:
        return list(self.call)

    def ended(self) -> tuple[grpc.StatusCode, str]:
        """How it ends, after what was still to be read."""
        with pytest.raises(grpc.RpcError) as error:
            self.rest()
        return error.value.code(), error.value.details()


def number(response: pb.ModelInferResponse) -> float:
    (raw,) = response.raw_output_contents
    return float(np.frombuffer(raw, "<f4")[0])


def request(
    model: str, id: str = "", parameters: Any = None, **values: Any
) -> pb.ModelInferRequest:
    """Single floats by input name; a name's underscore at the end is dropped."""
    message = pb.ModelInferRequest(model_name=model, id=id)
    for name, value in values.items():
        message.inputs.add(name=name.rstrip("_"), datatype="FP32", shape=[1])
        message.raw_input_contents.append(np.array([value], "<f4").tobytes())
    for key, value in (parameters or {}).items():
        field = {bool: "bool_param", int: "int64_param", str: "string_param", float: "double_param"}
        setattr(message.parameters[key], field[type(value)], value)
    return message


def at(time: int, **more: Any) -> dict[str, Any]:
    return {TIME: time, **more}


def add(value: float, id: str = "", **parameters: Any) -> pb.ModelInferRequest:
    return request("sum", id, parameters, in_=value)


@pytest.fixture
def open_stream(stub: Any) -> Iterator[Callable[..., Stream]]:
    """Streams that are cancelled at the end of the test."""
    opened: list[Stream] = []

    def make(**options: Any) -> Stream:
        opened.append(Stream(stub, timeout=SOON, **options))
        return opened[-1]

    yield make
    for stream in opened:
        stream.close()
        stream.call.cancel()


def test_a_stream_keeps_the_state_of_its_graph(open_stream: Any) -> None:
    """KServe S2, S10."""
    one, other = open_stream(), open_stream()
    one.send(add(1))
    other.send(add(100))
    assert (one.number(), other.number()) == (1, 100)
    assert one.send(add(2)).number() == 3
    assert other.send(add(1)).number() == 101
    assert one.close().rest() == []
    assert one.call.code() == grpc.StatusCode.OK


def test_many_requests_are_answered_in_order_before_the_stream_ends(open_stream: Any) -> None:
    """KServe S10, X3."""
    stream = open_stream().send(*[add(1)] * 1000).close()
    answers = [message.infer_response for message in stream.rest()]
    assert [number(answer) for answer in answers] == list(range(1, 1001))
    times = [answer.parameters[TIME].int64_param for answer in answers]
    assert times == sorted(set(times))


def test_a_stream_that_is_closed_before_any_request_ends_well(open_stream: Any) -> None:
    """KServe S1."""
    stream = open_stream().close()
    assert stream.rest() == []
    assert stream.call.code() == grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (request("gone", in_=1), grpc.StatusCode.NOT_FOUND),
        (request("unready", in_=1), grpc.StatusCode.UNAVAILABLE),
        (request("needy", in_=1), grpc.StatusCode.FAILED_PRECONDITION),
        (request("needy", "", {"start": "word"}, in_=1), grpc.StatusCode.FAILED_PRECONDITION),
        (request("sum", "", {"py": 1}, in_=1), grpc.StatusCode.FAILED_PRECONDITION),
        (request("json", in_=1), grpc.StatusCode.FAILED_PRECONDITION),
    ],
    ids=["unknown", "unready", "side packet missing", "side packet wrong", "py", "json only"],
)
def test_a_graph_that_cannot_start_ends_the_stream_at_once(
    open_stream: Any, first: pb.ModelInferRequest, code: grpc.StatusCode
) -> None:
    """KServe S1, S8, G11."""
    found, told = open_stream().send(first).ended()
    assert found == code
    assert told


def test_the_parameters_of_the_first_request_are_side_packets_later_ones_are_not(
    open_stream: Any,
) -> None:
    """KServe S2."""
    stream = open_stream().send(add(1, start=40))
    assert stream.number() == 41
    assert stream.send(add(1, start=1000)).number() == 42


def test_each_packet_of_each_output_is_a_message_with_one_output(open_stream: Any) -> None:
    """KServe S3, S4."""
    stream = open_stream().send(request("pair", "seven", at(7), a=2, b=3))
    answers = {answer.outputs[0].name: answer for answer in (stream.answer(), stream.answer())}
    assert {name: number(answer) for name, answer in answers.items()} == {"sum": 5, "product": 6}
    for answer in answers.values():
        assert len(answer.outputs) == len(answer.raw_output_contents) == 1
        assert (answer.model_name, answer.model_version, answer.id) == ("pair", "1", "seven")
        assert answer.parameters[TIME].int64_param == 7


def test_ids_come_back_with_the_answers_of_their_time(open_stream: Any) -> None:
    """KServe S3."""
    stream = open_stream().send(*[add(1, f"request {i}") for i in range(300)], add(1)).close()
    ids = [message.infer_response.id for message in stream.rest()]
    assert ids == [*(f"request {i}" for i in range(300)), ""]


def test_whole_messages_are_streamed_with_all_their_outputs(open_stream: Any) -> None:
    """KServe S3, T1, T2."""
    stream = open_stream().send(request("echo", "e", {"p": "q"}, x=1, y=2))
    answer = stream.answer()
    assert [output.name for output in answer.outputs] == ["x", "y"]
    assert (answer.id, answer.parameters["p"].string_param) == ("e", "q")


def test_a_request_may_say_its_time_and_all_others_come_after_it(open_stream: Any) -> None:
    """KServe S4, S5."""
    stream = open_stream()
    times = []
    for parameters in (at(-5), at(10), at(2**62), {}, {}):
        stream.send(request("sum", "", parameters, in_=1))
        times.append(stream.answer().parameters[TIME].int64_param)
    assert times == [-5, 10, 2**62, 2**62 + 1, 2**62 + 2]


@pytest.mark.parametrize("value", ["1", 1.5, True, -(2**63), 2**63 - 1])
def test_what_is_no_timestamp_is_told_and_the_stream_goes_on(open_stream: Any, value: Any) -> None:
    """KServe S5, S6."""
    stream = open_stream().send(request("sum", "", {TIME: value}, in_=1))
    assert TIME in stream.next().error_message
    assert stream.send(add(1)).number() == 1


@pytest.mark.parametrize("time", [-(2**63) + 3, 2**63 - 4])
def test_the_first_and_the_last_time_that_there_are_may_be_said(
    open_stream: Any, time: int
) -> None:
    """KServe S5."""
    stream = open_stream().send(request("sum", "", at(time), in_=1))
    assert stream.answer().parameters[TIME].int64_param == time


def wrong_version(version: str) -> pb.ModelInferRequest:
    message = add(1)
    message.model_version = version
    return message


def too_short() -> pb.ModelInferRequest:
    message = add(1)
    message.raw_input_contents[0] = b"\0"
    return message


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (request("sum", other=1), "The model has no input 'other'; it takes 'in'"),
        (pb.ModelInferRequest(model_name="sum"), "The request has no inputs"),
        (too_short(), "has 1 bytes where its datatype FP32 and its shape [1] ask for 4"),
        (
            request("echo", in_=1),
            "This stream belongs to the model 'sum'; the request names 'echo'",
        ),
        (request("", in_=1), "This stream belongs to the model 'sum'; the request names ''"),
        (wrong_version("2"), "This stream belongs to version 1 of the model 'sum'"),
    ],
)
def test_a_bad_request_is_told_and_the_stream_goes_on(
    open_stream: Any, bad: pb.ModelInferRequest, told: str
) -> None:
    """KServe S6."""
    stream = open_stream().send(add(1))
    assert stream.number() == 1
    message = stream.send(bad).next()
    assert told in message.error_message
    assert not message.HasField("infer_response")
    assert stream.send(add(1), wrong_version("0"), wrong_version("1")).number() == 2
    assert (stream.number(), stream.number()) == (3, 4)


def test_nothing_of_a_bad_request_reaches_the_graph(open_stream: Any) -> None:
    """KServe S6."""
    stream = open_stream().send(request("pair", "", at(1), a=1, c=1))
    assert "no input 'c'" in stream.next().error_message
    stream.send(request("pair", "", at(1), a=2, b=2))
    assert stream.number() == 4


def test_the_first_request_may_be_bad_too(open_stream: Any) -> None:
    """KServe S6."""
    stream = open_stream().send(too_short())
    assert "has 1 bytes" in stream.next().error_message
    assert stream.send(add(1)).number() == 1


def test_bad_requests_end_the_stream_for_clients_that_want_grpcs_status(open_stream: Any) -> None:
    """KServe S13."""
    stream = open_stream(metadata=[("triton_grpc_error", "true")]).send(add(1))
    assert stream.number() == 1
    code, told = stream.send(too_short()).ended()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "has 1 bytes" in told


def test_timestamps_that_do_not_increase_end_the_stream(open_stream: Any) -> None:
    """KServe S5, S7."""
    stream = open_stream().send(request("sum", "", at(5), in_=1))
    assert stream.number() == 1
    code, told = stream.send(request("sum", "", at(5), in_=1)).ended()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "The timestamps of input 'in' must increase: 5 came after 5" in told


def test_what_a_calculator_refuses_ends_the_stream_with_its_words(open_stream: Any) -> None:
    """KServe S7, G11."""
    stream = open_stream().send(add(1), add(14))
    assert stream.number() == 1
    assert stream.ended() == (grpc.StatusCode.INVALID_ARGUMENT, "14 is refused")


def test_what_breaks_in_a_calculator_ends_the_stream_and_is_not_told(open_stream: Any) -> None:
    """KServe S7, G12."""
    code, told = open_stream().send(add(13)).ended()
    assert code == grpc.StatusCode.INTERNAL
    assert "internal error" in told
    assert "secret" not in told
    assert open_stream().send(add(1)).number() == 1


def test_the_inputs_of_one_time_may_come_in_several_requests(open_stream: Any) -> None:
    """KServe S9."""
    stream = open_stream().send(
        request("pair", "", at(1), a=1),
        request("pair", "", at(2), a=10),
        request("pair", "", at(1), b=2),
        request("pair", "", at(2), b=20),
    )
    found = [
        (a.parameters[TIME].int64_param, number(a)) for a in (stream.answer() for _ in range(4))
    ]
    assert sorted(found) == [(1, 2), (1, 3), (2, 30), (2, 200)]


def test_a_request_without_an_answer_holds_up_nothing(open_stream: Any) -> None:
    """KServe S3."""
    stream = open_stream().send(*[request("sieve", str(i), in_=i % 2) for i in range(6)]).close()
    assert [message.infer_response.id for message in stream.rest()] == ["1", "3", "5"]


FINAL = {"triton_enable_empty_final_response": True}


def final(answer: pb.ModelInferResponse) -> bool:
    assert "triton_enable_empty_final_response" not in answer.parameters
    return answer.parameters["triton_final_response"].bool_param


def test_the_last_message_of_a_request_says_so_if_asked(open_stream: Any) -> None:
    """KServe S12."""
    stream = open_stream().send(request("sum", "1", FINAL, in_=1))
    answer = stream.answer()
    assert (number(answer), final(answer)) == (1, True)
    assert "triton_final_response" not in stream.send(add(1)).answer().parameters
    pair = open_stream().send(request("pair", "2", FINAL, a=1, b=2))
    assert [final(pair.answer()) for _ in range(2)] == [False, True]


def test_a_request_without_an_answer_has_an_empty_last_message(open_stream: Any) -> None:
    """KServe S12."""
    stream = open_stream().send(request("sieve", "none", FINAL, in_=0))
    answer = stream.answer()
    assert (answer.id, len(answer.outputs), final(answer)) == ("none", 0, True)


def test_of_many_answers_to_one_request_the_last_is_final(open_stream: Any) -> None:
    """KServe S12."""
    stream = open_stream().send(burst(3, 4, FINAL)).close()
    answers = [message.infer_response for message in stream.rest()]
    assert [len(answer.outputs) for answer in answers] == [1, 1, 1, 0]
    assert final(answers[-1])
    assert "triton_final_response" not in answers[1].parameters


def burst(count: int, size: int, parameters: Any = None) -> pb.ModelInferRequest:
    message = request("burst", "b", parameters)
    message.inputs.add(name="in", datatype="INT32", shape=[2])
    message.raw_input_contents.append(np.array([count, size], "<i4").tobytes())
    return message


def test_a_client_that_never_reads_is_ended_before_memory_is(open_stream: Any, served: Any) -> None:
    """KServe X4, X5."""
    stream = open_stream().send(*[burst(256, 1 << 20)] * 4)
    code, told = stream.ended()
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the client is too slow" in told
    assert open_stream().send(add(1)).number() == 1


def test_requests_wait_while_answers_are_not_read(
    open_stream: Any, nodes: dict[str, Any], eventually: Any
) -> None:
    """KServe X4, X5."""
    size = 1 << 20
    stream = open_stream()
    message = pb.ModelInferRequest(model_name="python", raw_input_contents=[bytes(size)])
    message.inputs.add(name="in", datatype="own", shape=[size])
    stream.send(*[message] * 400).close()
    assert len(stream.rest()) == 400


@pytest.mark.parametrize("leave", ["cancel", "deadline", "channel"])
def test_a_stream_that_is_left_frees_its_graph(
    stub: Any, served: Any, nodes: dict[str, Any], eventually: Any, leave: str
) -> None:
    """KServe S14, G17, X3."""
    before = nodes["RunningSum"].open_ones
    with grpc.insecure_channel(served.grpc_address) as channel:
        own = type(stub)(channel)
        stream = Stream(own, timeout=0.5 if leave == "deadline" else SOON)
        assert stream.send(add(1)).number() == 1
        if leave == "cancel":
            stream.call.cancel()
        elif leave == "deadline":
            assert stream.ended()[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    stream.close()
    assert eventually(lambda: nodes["RunningSum"].open_ones == before)


def test_bytes_that_are_no_message_are_told_and_the_stream_goes_on(served: Any) -> None:
    """KServe S6, X1."""
    with grpc.insecure_channel(served.grpc_address) as channel:
        call = channel.stream_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer",
            response_deserializer=pb.ModelStreamInferResponse.FromString,
        )
        good = add(1).SerializeToString()
        answers = list(call(iter([good, good[:-1], good]), timeout=SOON))
        errors = [answer.error_message for answer in answers if answer.error_message]
        numbers = [number(a.infer_response) for a in answers if not a.error_message]
    assert errors == ["The request is no ModelInferRequest: its bytes cannot be read."]
    assert numbers == [1, 2]

"""A calculator from a plain function."""

import asyncio
from typing import Any

import pytest

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.contract import optional
from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.function import calculator
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.testing import run


def values(packets):
    return [packet.value for packet in packets]


@calculator(inputs={"TEXT": str}, outputs={"TEXT": str})
def shout(text):
    """Loud."""
    return text.upper() + "!"


def test_it_is_a_calculator_of_that_name():
    assert issubclass(shout, Calculator)
    assert shout.__name__ == "shout"
    assert shout.__doc__ == "Loud."
    assert values(run(shout, {"TEXT": ["a", "b"]})["TEXT"]) == ["A!", "B!"]


def test_an_async_function():
    @calculator(inputs={"": int}, outputs={"": int})
    async def double(number):
        await asyncio.sleep(0)
        return number * 2

    assert values(run(double, {"": [1, 2, 3]})[""]) == [2, 4, 6]


def test_none_writes_nothing_and_a_packet_keeps_its_time():
    @calculator(inputs={"": int}, outputs={"": Any}, timestamp_offset=None, light=True)
    def odd(number):
        return Packet(number, number * 100) if number % 2 else None

    written = run(odd, {"": [0, 1, 2, 3]})[""]
    assert [(packet.value, packet.timestamp) for packet in written] == [(1, 100), (3, 300)]


def test_several_outputs_by_tag_or_in_order():
    @calculator(inputs={"": int}, outputs={"HALF": int, "REST": int})
    def divide(number):
        return divmod(number, 2) if number < 10 else {"REST": number}

    out = run(divide, {"": [7, 12]})
    assert values(out["HALF"]) == [3]
    assert values(out["REST"]) == [1, 12]


def test_missing_inputs_give_defaults_or_no_call():
    @calculator(inputs={"A": int, "B": optional(int)}, outputs={"": int})
    def add(a, b=10):
        return a + b

    out = run(add, {"A": [1, 2], "B": [Packet(5, 1), Packet(5, 7)]})
    assert values(out[""]) == [11, 7]


def test_context_options_and_side_packets():
    @calculator(inputs={"": int}, outputs={"": str}, input_side_packets={"UNIT": str})
    def label(cc, number, unit):
        return f"{cc.options['prefix']}{number} {unit} at {cc.timestamp}"

    out = run(label, {"": [3]}, options={"prefix": ">"}, side_packets={"UNIT": "m"})
    assert values(out[""]) == [">3 m at 0"]


@pytest.mark.parametrize(
    "ports", [{"": int}, {"A": int, "B": int, "C": int}, {"A:*": int, "B": int}]
)
def test_parameters_have_to_fit(ports):
    with pytest.raises(TypeError, match=r"parameters for|any number of ports"):
        calculator(inputs=ports)(lambda a, b: a)


def test_an_exception_is_an_error_of_the_node():
    with pytest.raises(StatusError, match=r"Process\(\) for node .* failed: AttributeError"):
        run(calculator(inputs={"": Any}, outputs={"": str})(lambda text: text.upper()), {"": [1]})

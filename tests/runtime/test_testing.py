"""Running one calculator on packets."""

import pytest
from google.protobuf.struct_pb2 import Struct

from calcgraph.proto.handlers_pb2 import DefaultInputStreamHandlerOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.errors import GraphError, RequestError, RunError
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.testing import run


class Scale(Calculator):
    """Times `factor`, or refuses."""

    inputs = {"IN:*": float}
    outputs = {"IN:*": float}
    light = True

    def process(self, cc):
        for key in cc.inputs:
            if cc.inputs[key]:
                if cc.inputs[key].value < 0:
                    raise RequestError("a negative number", param="input")
                cc.outputs[key].add(cc.inputs[key].value * cc.options["factor"])


def test_values_get_times_and_packets_keep_theirs():
    out = run(Scale, {"IN": [1.0, 2.0], "IN:1": [Packet(5.0, 7)]}, options={"factor": 2})
    assert [(p.value, p.timestamp) for p in out["IN"]] == [(2.0, 0), (4.0, 1)]
    assert [(p.value, p.timestamp) for p in out["IN:1"]] == [(10.0, 7)]


def test_options_as_a_message():
    options = Struct()
    options["factor"] = 3
    assert run(Scale, {"IN": [1.0]}, options=options)["IN"][0].value == 3.0


class Sees(Calculator):
    inputs = {"": object}
    outputs = {"OPTIONS": object, "RESOURCE": object, "SERVICE": object}

    @classmethod
    def contract(cls, contract):
        contract.use_service("clock")

    @classmethod
    def load(cls, node, graph):
        return "loaded"

    def process(self, cc):
        cc.outputs["OPTIONS"].add(cc.options)
        cc.outputs["RESOURCE"].add(cc.resource)
        cc.outputs["SERVICE"].add(cc.service("clock"))


def test_nested_options_resources_and_services():
    given = {"a": [1, "two", None, True], "b": {"c": 2.5}}
    out = run(Sees, {"": [0]}, options=given, resource="given", services={"clock": "tick"})
    options = out["OPTIONS"][0].value
    assert options["a"][1] == "two"
    assert options["b"]["c"] == 2.5
    assert out["RESOURCE"][0].value == "given"
    assert out["SERVICE"][0].value == "tick"
    assert run(Sees, {"": [0]}, services={"clock": 1})["RESOURCE"][0].value == "loaded"


class Typed(Calculator):
    inputs = {"": object}
    outputs = {"": int}
    options = DefaultInputStreamHandlerOptions

    def process(self, cc):
        cc.outputs[0].add(cc.options.batch_size)


def test_options_of_a_message_type():
    out = run(Typed, {"": [0]}, options=DefaultInputStreamHandlerOptions(batch_size=7))
    assert out[""][0].value == 7
    assert run(Typed, {"": [0]})[""][0].value == 1


def test_the_calculators_own_error_is_there():
    with pytest.raises(RunError) as failure:
        run(Scale, {"IN": [-1.0]}, options={"factor": 1})
    refusal = failure.value.request_error()
    assert refusal.param == "input"
    assert str(refusal) == "a negative number"


def test_ports_that_do_not_fit():
    with pytest.raises(GraphError, match="WRONG"):
        run(Scale, {"WRONG": [1.0]}, outputs=["IN"])

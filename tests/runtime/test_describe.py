"""What a calculator says of itself."""

from typing import Any

import pytest

from calcgraph.proto.ovms_pb2 import EmbeddingsCalculatorOVOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.contract import optional, same_as
from calcgraph.runtime.describe import OptionField, describe, port_text
from calcgraph.runtime.registry import Registry


class Described(Calculator):
    """The first line.

    The rest.
    """

    inputs = {"A": int | str, "B:*": Any}
    outputs = {"": optional(same_as("A"))}
    options = EmbeddingsCalculatorOVOptions

    @classmethod
    def contract(cls, contract):
        pass


class Silent(Calculator):
    options = None


def described(thing):
    registry = Registry()
    registry.register("Name", thing, "a test")
    return describe(registry.find("Name"))


def test_a_calculator_is_described_by_its_ports_and_options():
    found = described(Described)
    assert (found.name, found.origin, found.summary) == ("Name", "a test", "The first line.")
    assert found.ports["inputs"] == {"A": "int | str", "B:*": "any"}
    assert found.ports["outputs"] == {"": "optional same as A"}
    assert found.options_type == "mediapipe.EmbeddingsCalculatorOVOptions"
    assert OptionField("models_path", "required string", "") in found.options
    assert OptionField("normalize_embeddings", "bool", "true") in found.options
    assert OptionField("pooling", "CLS | LAST | MEAN", "CLS") in found.options
    assert (found.depends_on_node, found.is_subgraph) == (True, False)


def test_a_calculator_without_words_or_options_has_none():
    found = described(Silent)
    assert (found.summary, found.options_type, found.options) == ("", "", ())
    assert not found.depends_on_node


def test_a_graph_is_described_by_its_interface():
    found = described(read_graph('input_stream: "A:x" output_stream: "y" node { calculator: "N" }'))
    assert found.is_subgraph
    assert found.ports["inputs"] == {"A": "any"}
    assert found.ports["outputs"] == {"": "any"}


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (int, "int"),
        (None, "nothing"),
        (Any, "any"),
        (list[int], "list"),
        ("int", "wrong: found 'int'"),
    ],
    ids=str,
)
def test_a_port_is_described_in_words(declared, text):
    assert port_text(declared).startswith(text)

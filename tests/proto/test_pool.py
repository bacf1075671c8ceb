"""Our messages live beside other packages' messages of the same names."""

import gc
import subprocess
import sys
from importlib import import_module

import pytest
from google.protobuf import any_pb2, descriptor_pool, json_format, struct_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass

from calcgraph.proto.core_calculators_pb2 import GateCalculatorOptions
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.pool import POOL

MODULES = (
    "calculators_pb2",
    "core_calculators_pb2",
    "formats_pb2",
    "graph_pb2",
    "handlers_pb2",
    "inference_pb2",
    "inference_pb2_grpc",
    "options_pb2",
    "ovms_pb2",
    "profile_pb2",
)

# What importing the mediapipe wheel or tritonclient does to the default pool.
REGISTER_THEIRS = """
from google.protobuf import descriptor_pb2, descriptor_pool
for package, messages in {
    "mediapipe": ["CalculatorGraphConfig", "CalculatorOptions", "GateCalculatorOptions"],
    "inference": ["ModelInferRequest", "ModelInferResponse", "InferParameter"],
}.items():
    file = descriptor_pb2.FileDescriptorProto(name=package + "/theirs.proto", package=package)
    for message in messages:
        file.message_type.add(name=message)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
"""
IMPORT_OURS = "".join(f"import calcgraph.proto.{module}\n" for module in MODULES)
USE_OURS = """
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.inference_pb2 import ModelInferRequest
assert CalculatorGraphConfig(input_stream=["a"]).input_stream == ["a"]
assert ModelInferRequest(model_name="m").model_name == "m"
theirs = descriptor_pool.Default().FindMessageTypeByName("inference.ModelInferRequest")
assert not theirs.fields
print("both live")
"""


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def plugin_options():
    """A plugin author's own options, generated, as theirs are, in the default pool."""
    file = FileDescriptorProto(name="plugin.proto", package="plugin", syntax="proto3")
    options = file.message_type.add(name="Options")
    options.field.add(
        name="size",
        number=1,
        type=FieldDescriptorProto.TYPE_INT32,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("plugin.Options"))


@pytest.mark.parametrize(
    "first, second",
    [(REGISTER_THEIRS, IMPORT_OURS), (IMPORT_OURS, REGISTER_THEIRS)],
    ids=["theirs first", "ours first"],
)
def test_other_packages_may_define_the_same_names(first, second):
    result = run_python(first + second + USE_OURS)
    assert (result.returncode, result.stdout, result.stderr) == (0, "both live\n", "")


@pytest.mark.parametrize("name", ["mediapipe.CalculatorGraphConfig", "inference.ModelInferRequest"])
def test_our_messages_are_not_in_the_default_pool(name):
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(name)


@pytest.mark.parametrize("name", [name for name in MODULES if name.endswith("_pb2")])
def test_every_class_says_where_it_is_defined(name):
    module = import_module(f"calcgraph.proto.{name}")
    for message in module.DESCRIPTOR.message_types_by_name:
        assert getattr(module, message).__module__ == f"calcgraph.proto.{name}"


def test_a_nested_class_stays_the_same_one():
    gc.collect()
    assert CalculatorGraphConfig.Node.__qualname__ == "CalculatorGraphConfig.Node"
    assert type(CalculatorGraphConfig().node.add()) is CalculatorGraphConfig.Node


def test_our_own_options_go_through_an_any():
    node = CalculatorGraphConfig.Node()
    node.node_options.add().Pack(GateCalculatorOptions(allow=True))
    read = GateCalculatorOptions()
    assert node.node_options[0].Unpack(read)
    assert read.allow


def test_a_plugins_own_options_go_through_an_any(plugin_options):
    node = CalculatorGraphConfig.Node()
    node.node_options.add().Pack(plugin_options(size=3))
    read = plugin_options()
    assert node.node_options[0].Unpack(read)
    assert read.size == 3


def test_the_ordinary_struct_goes_through_an_any():
    written, read = struct_pb2.Struct(), struct_pb2.Struct()
    written.update({"size": 3, "names": ["a"]})
    node = CalculatorGraphConfig.Node()
    node.node_options.add().Pack(written)
    assert node.node_options[0].Unpack(read)
    assert read == written


def test_the_ordinary_any_is_copied_by_its_two_fields():
    packed = any_pb2.Any()
    packed.Pack(struct_pb2.Struct())
    node = CalculatorGraphConfig.Node()
    with pytest.raises(TypeError, match="instance of same class"):
        node.node_options.append(packed)
    node.ClearField("node_options")
    node.node_options.add(type_url=packed.type_url, value=packed.value)
    assert node.node_options[0].Is(struct_pb2.Struct.DESCRIPTOR)


def test_the_struct_of_our_pool_behaves_as_a_dict():
    struct = GetMessageClass(POOL.FindMessageTypeByName("google.protobuf.Struct"))()
    struct.update({"size": 3, "names": ["a", None]})
    assert struct["size"] == 3
    assert list(struct["names"]) == ["a", None]


def test_json_is_written_and_read_with_our_pool():
    node = CalculatorGraphConfig.Node(calculator="Gate")
    node.node_options.add().Pack(GateCalculatorOptions(allow=True))
    text = json_format.MessageToJson(node, descriptor_pool=POOL)
    assert json_format.Parse(text, CalculatorGraphConfig.Node(), descriptor_pool=POOL) == node

"""The descriptor pool that holds this project's messages, apart from everybody else's.

`mediapipe` and `tritonclient` define the same names (mediapipe.CalculatorGraphConfig,
inference.ModelInferRequest) in protobuf's default pool, where a second definition is an error
that ends the import. In a pool of our own they do not meet.

The price: a message class of this package is not the class of the same name elsewhere, not even
for google.protobuf.Any. proto/README.md says what that asks of a caller.
"""

from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

POOL = DescriptorPool()

for _module in (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
):
    POOL.AddSerializedFile(_module.DESCRIPTOR.serialized_pb)


def define(module: dict[str, Any], serialized: bytes) -> None:
    """Add a serialized FileDescriptorProto to POOL and its top-level names to a module.

    The files it imports must be in POOL already. `module` is the module's `globals()`.
    """
    file = POOL.AddSerializedFile(serialized)
    module["DESCRIPTOR"] = file
    for name, message in file.message_types_by_name.items():
        module[name] = _named_class(message, module["__name__"])
    for name, enum in file.enum_types_by_name.items():
        module[name] = EnumTypeWrapper(enum)
        module.update((value.name, value.number) for value in enum.values)


def _named_class(message: Descriptor, module_name: str) -> type[Message]:
    """The class of a message, told where it is defined, and holding the classes nested in it.

    protobuf itself holds a class only weakly: one that nothing holds is made anew, another and
    nameless, at the next use.
    """
    message_class: type[Message] = GetMessageClass(message)
    message_class.__module__ = module_name
    message_class.__qualname__ = message.full_name.removeprefix(f"{message.file.package}.")
    for nested in message.nested_types:
        setattr(message_class, nested.name, _named_class(nested, module_name))
    return message_class

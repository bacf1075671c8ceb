from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HttpInputOptions(_message.Message):
    __slots__ = ("max_texts",)
    MAX_TEXTS_FIELD_NUMBER: _ClassVar[int]
    max_texts: int
    def __init__(self, max_texts: _Optional[int] = ...) -> None: ...

class TokenizerOptions(_message.Message):
    __slots__ = ("models_path", "truncate", "max_length")
    MODELS_PATH_FIELD_NUMBER: _ClassVar[int]
    TRUNCATE_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    models_path: str
    truncate: bool
    max_length: int
    def __init__(self, models_path: _Optional[str] = ..., truncate: bool = ..., max_length: _Optional[int] = ...) -> None: ...

class PoolingOptions(_message.Message):
    __slots__ = ("pooling",)
    class Pooling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CLS: _ClassVar[PoolingOptions.Pooling]
        LAST: _ClassVar[PoolingOptions.Pooling]
        MEAN: _ClassVar[PoolingOptions.Pooling]
    CLS: PoolingOptions.Pooling
    LAST: PoolingOptions.Pooling
    MEAN: PoolingOptions.Pooling
    POOLING_FIELD_NUMBER: _ClassVar[int]
    pooling: PoolingOptions.Pooling
    def __init__(self, pooling: _Optional[_Union[PoolingOptions.Pooling, str]] = ...) -> None: ...

class NormalizeOptions(_message.Message):
    __slots__ = ("enabled",)
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    def __init__(self, enabled: bool = ...) -> None: ...

class SerializerOptions(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

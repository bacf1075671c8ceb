from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HttpInputOptions(_message.Message):
    __slots__ = ("max_texts",)
    MAX_TEXTS_FIELD_NUMBER: _ClassVar[int]
    max_texts: int
    def __init__(self, max_texts: _Optional[int] = ...) -> None: ...

class PromptTemplateOptions(_message.Message):
    __slots__ = ("models_path", "prompt", "default_prompt", "instruction_template")
    class Prompt(_message.Message):
        __slots__ = ("name", "text")
        NAME_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        name: str
        text: str
        def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
    MODELS_PATH_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PROMPT_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    models_path: str
    prompt: _containers.RepeatedCompositeFieldContainer[PromptTemplateOptions.Prompt]
    default_prompt: str
    instruction_template: str
    def __init__(self, models_path: _Optional[str] = ..., prompt: _Optional[_Iterable[_Union[PromptTemplateOptions.Prompt, _Mapping]]] = ..., default_prompt: _Optional[str] = ..., instruction_template: _Optional[str] = ...) -> None: ...

class TokenizerOptions(_message.Message):
    __slots__ = ("models_path", "truncate", "max_length", "overflow", "overlap", "token_input")
    class Overflow(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ERROR: _ClassVar[TokenizerOptions.Overflow]
        TRUNCATE: _ClassVar[TokenizerOptions.Overflow]
        TRUNCATE_LEFT: _ClassVar[TokenizerOptions.Overflow]
        CHUNK: _ClassVar[TokenizerOptions.Overflow]
    ERROR: TokenizerOptions.Overflow
    TRUNCATE: TokenizerOptions.Overflow
    TRUNCATE_LEFT: TokenizerOptions.Overflow
    CHUNK: TokenizerOptions.Overflow
    MODELS_PATH_FIELD_NUMBER: _ClassVar[int]
    TRUNCATE_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    TOKEN_INPUT_FIELD_NUMBER: _ClassVar[int]
    models_path: str
    truncate: bool
    max_length: int
    overflow: TokenizerOptions.Overflow
    overlap: int
    token_input: str
    def __init__(self, models_path: _Optional[str] = ..., truncate: bool = ..., max_length: _Optional[int] = ..., overflow: _Optional[_Union[TokenizerOptions.Overflow, str]] = ..., overlap: _Optional[int] = ..., token_input: _Optional[str] = ...) -> None: ...

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

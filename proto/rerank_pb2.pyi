from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RerankInputOptions(_message.Message):
    __slots__ = ("max_documents",)
    MAX_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    max_documents: int
    def __init__(self, max_documents: _Optional[int] = ...) -> None: ...

class PairTokenizerOptions(_message.Message):
    __slots__ = ("models_path", "max_length", "long_documents", "max_allowed_chunks", "overlap", "prompt_prefix", "prompt", "prompt_suffix", "instruction")
    class LongDocuments(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CHUNK: _ClassVar[PairTokenizerOptions.LongDocuments]
        TRUNCATE: _ClassVar[PairTokenizerOptions.LongDocuments]
        REFUSE: _ClassVar[PairTokenizerOptions.LongDocuments]
    CHUNK: PairTokenizerOptions.LongDocuments
    TRUNCATE: PairTokenizerOptions.LongDocuments
    REFUSE: PairTokenizerOptions.LongDocuments
    MODELS_PATH_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    LONG_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_ALLOWED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    PROMPT_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    models_path: str
    max_length: int
    long_documents: PairTokenizerOptions.LongDocuments
    max_allowed_chunks: int
    overlap: int
    prompt_prefix: str
    prompt: str
    prompt_suffix: str
    instruction: str
    def __init__(self, models_path: _Optional[str] = ..., max_length: _Optional[int] = ..., long_documents: _Optional[_Union[PairTokenizerOptions.LongDocuments, str]] = ..., max_allowed_chunks: _Optional[int] = ..., overlap: _Optional[int] = ..., prompt_prefix: _Optional[str] = ..., prompt: _Optional[str] = ..., prompt_suffix: _Optional[str] = ..., instruction: _Optional[str] = ...) -> None: ...

class RelevanceScoresOptions(_message.Message):
    __slots__ = ("activation", "windows")
    class Activation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SIGMOID: _ClassVar[RelevanceScoresOptions.Activation]
        IDENTITY: _ClassVar[RelevanceScoresOptions.Activation]
        MODEL: _ClassVar[RelevanceScoresOptions.Activation]
    SIGMOID: RelevanceScoresOptions.Activation
    IDENTITY: RelevanceScoresOptions.Activation
    MODEL: RelevanceScoresOptions.Activation
    class Windows(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BEST: _ClassVar[RelevanceScoresOptions.Windows]
        MEAN: _ClassVar[RelevanceScoresOptions.Windows]
        FIRST: _ClassVar[RelevanceScoresOptions.Windows]
    BEST: RelevanceScoresOptions.Windows
    MEAN: RelevanceScoresOptions.Windows
    FIRST: RelevanceScoresOptions.Windows
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    activation: RelevanceScoresOptions.Activation
    windows: RelevanceScoresOptions.Windows
    def __init__(self, activation: _Optional[_Union[RelevanceScoresOptions.Activation, str]] = ..., windows: _Optional[_Union[RelevanceScoresOptions.Windows, str]] = ...) -> None: ...

class RerankSerializerOptions(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf.internal import python_message as _python_message
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Classification(_message.Message):
    __slots__ = ("index", "score", "label", "display_name")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    index: int
    score: float
    label: str
    display_name: str
    def __init__(self, index: _Optional[int] = ..., score: _Optional[float] = ..., label: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class ClassificationList(_message.Message):
    __slots__ = ("classification",)
    CLASSIFICATION_FIELD_NUMBER: _ClassVar[int]
    classification: _containers.RepeatedCompositeFieldContainer[Classification]
    def __init__(self, classification: _Optional[_Iterable[_Union[Classification, _Mapping]]] = ...) -> None: ...

class Landmark(_message.Message):
    __slots__ = ("x", "y", "z", "visibility", "presence")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    z: float
    visibility: float
    presence: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ..., visibility: _Optional[float] = ..., presence: _Optional[float] = ...) -> None: ...

class LandmarkList(_message.Message):
    __slots__ = ("landmark",)
    LANDMARK_FIELD_NUMBER: _ClassVar[int]
    landmark: _containers.RepeatedCompositeFieldContainer[Landmark]
    def __init__(self, landmark: _Optional[_Iterable[_Union[Landmark, _Mapping]]] = ...) -> None: ...

class MatrixData(_message.Message):
    __slots__ = ("rows", "cols", "packed_data", "layout")
    class Layout(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        COLUMN_MAJOR: _ClassVar[MatrixData.Layout]
        ROW_MAJOR: _ClassVar[MatrixData.Layout]
    COLUMN_MAJOR: MatrixData.Layout
    ROW_MAJOR: MatrixData.Layout
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLS_FIELD_NUMBER: _ClassVar[int]
    PACKED_DATA_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    rows: int
    cols: int
    packed_data: _containers.RepeatedScalarFieldContainer[float]
    layout: MatrixData.Layout
    def __init__(self, rows: _Optional[int] = ..., cols: _Optional[int] = ..., packed_data: _Optional[_Iterable[float]] = ..., layout: _Optional[_Union[MatrixData.Layout, str]] = ...) -> None: ...

class TimeSeriesHeader(_message.Message):
    __slots__ = ("sample_rate", "num_channels", "num_samples", "packet_rate", "audio_sample_rate")
    Extensions: _python_message._ExtensionDict
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    NUM_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    NUM_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    PACKET_RATE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    sample_rate: float
    num_channels: int
    num_samples: int
    packet_rate: float
    audio_sample_rate: float
    def __init__(self, sample_rate: _Optional[float] = ..., num_channels: _Optional[int] = ..., num_samples: _Optional[int] = ..., packet_rate: _Optional[float] = ..., audio_sample_rate: _Optional[float] = ...) -> None: ...

from calcgraph.proto import formats_pb2 as _formats_pb2
from calcgraph.proto import graph_pb2 as _graph_pb2
from calcgraph.proto import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BypassCalculatorOptions(_message.Message):
    __slots__ = ("pass_input_stream", "pass_output_stream")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    PASS_INPUT_STREAM_FIELD_NUMBER: _ClassVar[int]
    PASS_OUTPUT_STREAM_FIELD_NUMBER: _ClassVar[int]
    pass_input_stream: _containers.RepeatedScalarFieldContainer[str]
    pass_output_stream: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pass_input_stream: _Optional[_Iterable[str]] = ..., pass_output_stream: _Optional[_Iterable[str]] = ...) -> None: ...

class ClipVectorSizeCalculatorOptions(_message.Message):
    __slots__ = ("max_vec_size",)
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    MAX_VEC_SIZE_FIELD_NUMBER: _ClassVar[int]
    max_vec_size: int
    def __init__(self, max_vec_size: _Optional[int] = ...) -> None: ...

class ConcatenateVectorCalculatorOptions(_message.Message):
    __slots__ = ("only_emit_if_all_present",)
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    ONLY_EMIT_IF_ALL_PRESENT_FIELD_NUMBER: _ClassVar[int]
    only_emit_if_all_present: bool
    def __init__(self, only_emit_if_all_present: bool = ...) -> None: ...

class ConstantSidePacketCalculatorOptions(_message.Message):
    __slots__ = ("packet",)
    class StringVector(_message.Message):
        __slots__ = ("string_value",)
        STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
        string_value: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, string_value: _Optional[_Iterable[str]] = ...) -> None: ...
    class ConstantSidePacket(_message.Message):
        __slots__ = ("int_value", "float_value", "bool_value", "string_value", "uint64_value", "classification_list_value", "landmark_list_value", "double_value", "time_series_header_value", "int64_value", "matrix_data_value", "string_vector_value")
        INT_VALUE_FIELD_NUMBER: _ClassVar[int]
        FLOAT_VALUE_FIELD_NUMBER: _ClassVar[int]
        BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
        STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
        UINT64_VALUE_FIELD_NUMBER: _ClassVar[int]
        CLASSIFICATION_LIST_VALUE_FIELD_NUMBER: _ClassVar[int]
        LANDMARK_LIST_VALUE_FIELD_NUMBER: _ClassVar[int]
        DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
        TIME_SERIES_HEADER_VALUE_FIELD_NUMBER: _ClassVar[int]
        INT64_VALUE_FIELD_NUMBER: _ClassVar[int]
        MATRIX_DATA_VALUE_FIELD_NUMBER: _ClassVar[int]
        STRING_VECTOR_VALUE_FIELD_NUMBER: _ClassVar[int]
        int_value: int
        float_value: float
        bool_value: bool
        string_value: str
        uint64_value: int
        classification_list_value: _formats_pb2.ClassificationList
        landmark_list_value: _formats_pb2.LandmarkList
        double_value: float
        time_series_header_value: _formats_pb2.TimeSeriesHeader
        int64_value: int
        matrix_data_value: _formats_pb2.MatrixData
        string_vector_value: ConstantSidePacketCalculatorOptions.StringVector
        def __init__(self, int_value: _Optional[int] = ..., float_value: _Optional[float] = ..., bool_value: bool = ..., string_value: _Optional[str] = ..., uint64_value: _Optional[int] = ..., classification_list_value: _Optional[_Union[_formats_pb2.ClassificationList, _Mapping]] = ..., landmark_list_value: _Optional[_Union[_formats_pb2.LandmarkList, _Mapping]] = ..., double_value: _Optional[float] = ..., time_series_header_value: _Optional[_Union[_formats_pb2.TimeSeriesHeader, _Mapping]] = ..., int64_value: _Optional[int] = ..., matrix_data_value: _Optional[_Union[_formats_pb2.MatrixData, _Mapping]] = ..., string_vector_value: _Optional[_Union[ConstantSidePacketCalculatorOptions.StringVector, _Mapping]] = ...) -> None: ...
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    PACKET_FIELD_NUMBER: _ClassVar[int]
    packet: _containers.RepeatedCompositeFieldContainer[ConstantSidePacketCalculatorOptions.ConstantSidePacket]
    def __init__(self, packet: _Optional[_Iterable[_Union[ConstantSidePacketCalculatorOptions.ConstantSidePacket, _Mapping]]] = ...) -> None: ...

class DequantizeByteArrayCalculatorOptions(_message.Message):
    __slots__ = ("max_quantized_value", "min_quantized_value")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    MAX_QUANTIZED_VALUE_FIELD_NUMBER: _ClassVar[int]
    MIN_QUANTIZED_VALUE_FIELD_NUMBER: _ClassVar[int]
    max_quantized_value: float
    min_quantized_value: float
    def __init__(self, max_quantized_value: _Optional[float] = ..., min_quantized_value: _Optional[float] = ...) -> None: ...

class FlowLimiterCalculatorOptions(_message.Message):
    __slots__ = ("max_in_flight", "max_in_queue", "in_flight_timeout")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_QUEUE_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    max_in_flight: int
    max_in_queue: int
    in_flight_timeout: int
    def __init__(self, max_in_flight: _Optional[int] = ..., max_in_queue: _Optional[int] = ..., in_flight_timeout: _Optional[int] = ...) -> None: ...

class GateCalculatorOptions(_message.Message):
    __slots__ = ("empty_packets_as_allow", "allow", "initial_gate_state")
    class GateState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNSPECIFIED: _ClassVar[GateCalculatorOptions.GateState]
        GATE_UNINITIALIZED: _ClassVar[GateCalculatorOptions.GateState]
        GATE_ALLOW: _ClassVar[GateCalculatorOptions.GateState]
        GATE_DISALLOW: _ClassVar[GateCalculatorOptions.GateState]
    UNSPECIFIED: GateCalculatorOptions.GateState
    GATE_UNINITIALIZED: GateCalculatorOptions.GateState
    GATE_ALLOW: GateCalculatorOptions.GateState
    GATE_DISALLOW: GateCalculatorOptions.GateState
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    EMPTY_PACKETS_AS_ALLOW_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    INITIAL_GATE_STATE_FIELD_NUMBER: _ClassVar[int]
    empty_packets_as_allow: bool
    allow: bool
    initial_gate_state: GateCalculatorOptions.GateState
    def __init__(self, empty_packets_as_allow: bool = ..., allow: bool = ..., initial_gate_state: _Optional[_Union[GateCalculatorOptions.GateState, str]] = ...) -> None: ...

class GetVectorItemCalculatorOptions(_message.Message):
    __slots__ = ("item_index", "output_empty_on_oob")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_EMPTY_ON_OOB_FIELD_NUMBER: _ClassVar[int]
    item_index: int
    output_empty_on_oob: bool
    def __init__(self, item_index: _Optional[int] = ..., output_empty_on_oob: bool = ...) -> None: ...

class GraphProfileCalculatorOptions(_message.Message):
    __slots__ = ("profile_interval",)
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    PROFILE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    profile_interval: int
    def __init__(self, profile_interval: _Optional[int] = ...) -> None: ...

class LogicCalculatorOptions(_message.Message):
    __slots__ = ("op", "negate", "input_value")
    class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AND: _ClassVar[LogicCalculatorOptions.Operation]
        OR: _ClassVar[LogicCalculatorOptions.Operation]
        XOR: _ClassVar[LogicCalculatorOptions.Operation]
    AND: LogicCalculatorOptions.Operation
    OR: LogicCalculatorOptions.Operation
    XOR: LogicCalculatorOptions.Operation
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    OP_FIELD_NUMBER: _ClassVar[int]
    NEGATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_VALUE_FIELD_NUMBER: _ClassVar[int]
    op: LogicCalculatorOptions.Operation
    negate: bool
    input_value: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, op: _Optional[_Union[LogicCalculatorOptions.Operation, str]] = ..., negate: bool = ..., input_value: _Optional[_Iterable[bool]] = ...) -> None: ...

class NodeChainSubgraphOptions(_message.Message):
    __slots__ = ("node_type", "chain_length")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    NODE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHAIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    node_type: str
    chain_length: int
    def __init__(self, node_type: _Optional[str] = ..., chain_length: _Optional[int] = ...) -> None: ...

class PacketClonerCalculatorOptions(_message.Message):
    __slots__ = ("output_only_when_all_inputs_received", "output_packets_only_when_all_inputs_received")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    OUTPUT_ONLY_WHEN_ALL_INPUTS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_PACKETS_ONLY_WHEN_ALL_INPUTS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    output_only_when_all_inputs_received: bool
    output_packets_only_when_all_inputs_received: bool
    def __init__(self, output_only_when_all_inputs_received: bool = ..., output_packets_only_when_all_inputs_received: bool = ...) -> None: ...

class PacketLatencyCalculatorOptions(_message.Message):
    __slots__ = ("num_intervals", "interval_size_usec", "reset_duration_usec", "packet_labels")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    NUM_INTERVALS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_SIZE_USEC_FIELD_NUMBER: _ClassVar[int]
    RESET_DURATION_USEC_FIELD_NUMBER: _ClassVar[int]
    PACKET_LABELS_FIELD_NUMBER: _ClassVar[int]
    num_intervals: int
    interval_size_usec: int
    reset_duration_usec: int
    packet_labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, num_intervals: _Optional[int] = ..., interval_size_usec: _Optional[int] = ..., reset_duration_usec: _Optional[int] = ..., packet_labels: _Optional[_Iterable[str]] = ...) -> None: ...

class PacketResamplerCalculatorOptions(_message.Message):
    __slots__ = ("frame_rate", "output_header", "flush_last_packet", "jitter", "base_timestamp", "start_time", "end_time", "round_limits", "jitter_with_reflection", "reproducible_sampling", "use_input_frame_rate", "max_frame_rate")
    class OutputHeader(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[PacketResamplerCalculatorOptions.OutputHeader]
        PASS_HEADER: _ClassVar[PacketResamplerCalculatorOptions.OutputHeader]
        UPDATE_VIDEO_HEADER: _ClassVar[PacketResamplerCalculatorOptions.OutputHeader]
    NONE: PacketResamplerCalculatorOptions.OutputHeader
    PASS_HEADER: PacketResamplerCalculatorOptions.OutputHeader
    UPDATE_VIDEO_HEADER: PacketResamplerCalculatorOptions.OutputHeader
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_HEADER_FIELD_NUMBER: _ClassVar[int]
    FLUSH_LAST_PACKET_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    BASE_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ROUND_LIMITS_FIELD_NUMBER: _ClassVar[int]
    JITTER_WITH_REFLECTION_FIELD_NUMBER: _ClassVar[int]
    REPRODUCIBLE_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    USE_INPUT_FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    frame_rate: float
    output_header: PacketResamplerCalculatorOptions.OutputHeader
    flush_last_packet: bool
    jitter: float
    base_timestamp: int
    start_time: int
    end_time: int
    round_limits: bool
    jitter_with_reflection: bool
    reproducible_sampling: bool
    use_input_frame_rate: bool
    max_frame_rate: float
    def __init__(self, frame_rate: _Optional[float] = ..., output_header: _Optional[_Union[PacketResamplerCalculatorOptions.OutputHeader, str]] = ..., flush_last_packet: bool = ..., jitter: _Optional[float] = ..., base_timestamp: _Optional[int] = ..., start_time: _Optional[int] = ..., end_time: _Optional[int] = ..., round_limits: bool = ..., jitter_with_reflection: bool = ..., reproducible_sampling: bool = ..., use_input_frame_rate: bool = ..., max_frame_rate: _Optional[float] = ...) -> None: ...

class PacketThinnerCalculatorOptions(_message.Message):
    __slots__ = ("thinner_type", "period", "start_time", "end_time", "sync_output_timestamps", "update_frame_rate")
    class ThinnerType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ASYNC: _ClassVar[PacketThinnerCalculatorOptions.ThinnerType]
        SYNC: _ClassVar[PacketThinnerCalculatorOptions.ThinnerType]
    ASYNC: PacketThinnerCalculatorOptions.ThinnerType
    SYNC: PacketThinnerCalculatorOptions.ThinnerType
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    THINNER_TYPE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    SYNC_OUTPUT_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    thinner_type: PacketThinnerCalculatorOptions.ThinnerType
    period: int
    start_time: int
    end_time: int
    sync_output_timestamps: bool
    update_frame_rate: bool
    def __init__(self, thinner_type: _Optional[_Union[PacketThinnerCalculatorOptions.ThinnerType, str]] = ..., period: _Optional[int] = ..., start_time: _Optional[int] = ..., end_time: _Optional[int] = ..., sync_output_timestamps: bool = ..., update_frame_rate: bool = ...) -> None: ...

class QuantizeFloatVectorCalculatorOptions(_message.Message):
    __slots__ = ("max_quantized_value", "min_quantized_value")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    MAX_QUANTIZED_VALUE_FIELD_NUMBER: _ClassVar[int]
    MIN_QUANTIZED_VALUE_FIELD_NUMBER: _ClassVar[int]
    max_quantized_value: float
    min_quantized_value: float
    def __init__(self, max_quantized_value: _Optional[float] = ..., min_quantized_value: _Optional[float] = ...) -> None: ...

class SequenceShiftCalculatorOptions(_message.Message):
    __slots__ = ("packet_offset", "emit_empty_packets_before_first_packet")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    PACKET_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EMIT_EMPTY_PACKETS_BEFORE_FIRST_PACKET_FIELD_NUMBER: _ClassVar[int]
    packet_offset: int
    emit_empty_packets_before_first_packet: bool
    def __init__(self, packet_offset: _Optional[int] = ..., emit_empty_packets_before_first_packet: bool = ...) -> None: ...

class SidePacketsToStreamsCalculatorOptions(_message.Message):
    __slots__ = ("num_inputs", "set_timestamp", "vectors_of_packets")
    class SetTimestampMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VECTOR_INDEX: _ClassVar[SidePacketsToStreamsCalculatorOptions.SetTimestampMode]
        PRE_STREAM: _ClassVar[SidePacketsToStreamsCalculatorOptions.SetTimestampMode]
        WHOLE_STREAM: _ClassVar[SidePacketsToStreamsCalculatorOptions.SetTimestampMode]
        NONE: _ClassVar[SidePacketsToStreamsCalculatorOptions.SetTimestampMode]
    VECTOR_INDEX: SidePacketsToStreamsCalculatorOptions.SetTimestampMode
    PRE_STREAM: SidePacketsToStreamsCalculatorOptions.SetTimestampMode
    WHOLE_STREAM: SidePacketsToStreamsCalculatorOptions.SetTimestampMode
    NONE: SidePacketsToStreamsCalculatorOptions.SetTimestampMode
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    NUM_INPUTS_FIELD_NUMBER: _ClassVar[int]
    SET_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    VECTORS_OF_PACKETS_FIELD_NUMBER: _ClassVar[int]
    num_inputs: int
    set_timestamp: SidePacketsToStreamsCalculatorOptions.SetTimestampMode
    vectors_of_packets: bool
    def __init__(self, num_inputs: _Optional[int] = ..., set_timestamp: _Optional[_Union[SidePacketsToStreamsCalculatorOptions.SetTimestampMode, str]] = ..., vectors_of_packets: bool = ...) -> None: ...

class SplitVectorCalculatorOptions(_message.Message):
    __slots__ = ("ranges", "element_only", "combine_outputs")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    RANGES_FIELD_NUMBER: _ClassVar[int]
    ELEMENT_ONLY_FIELD_NUMBER: _ClassVar[int]
    COMBINE_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    ranges: _containers.RepeatedCompositeFieldContainer[Range]
    element_only: bool
    combine_outputs: bool
    def __init__(self, ranges: _Optional[_Iterable[_Union[Range, _Mapping]]] = ..., element_only: bool = ..., combine_outputs: bool = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("begin", "end")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    begin: int
    end: int
    def __init__(self, begin: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class SwitchContainerOptions(_message.Message):
    __slots__ = ("contained_node", "select", "enable", "synchronize_io", "async_selection", "tick_input_stream")
    EXT_FIELD_NUMBER: _ClassVar[int]
    ext: _descriptor.FieldDescriptor
    CONTAINED_NODE_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    ENABLE_FIELD_NUMBER: _ClassVar[int]
    SYNCHRONIZE_IO_FIELD_NUMBER: _ClassVar[int]
    ASYNC_SELECTION_FIELD_NUMBER: _ClassVar[int]
    TICK_INPUT_STREAM_FIELD_NUMBER: _ClassVar[int]
    contained_node: _containers.RepeatedCompositeFieldContainer[_graph_pb2.CalculatorGraphConfig.Node]
    select: int
    enable: bool
    synchronize_io: bool
    async_selection: bool
    tick_input_stream: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, contained_node: _Optional[_Iterable[_Union[_graph_pb2.CalculatorGraphConfig.Node, _Mapping]]] = ..., select: _Optional[int] = ..., enable: bool = ..., synchronize_io: bool = ..., async_selection: bool = ..., tick_input_stream: _Optional[_Iterable[str]] = ...) -> None: ...

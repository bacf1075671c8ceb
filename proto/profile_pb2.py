"""Generated from profile.proto by `make proto`: do not edit."""

import calcgraph.proto.graph_pb2
from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1dcalcgraph/proto/profile.proto\x12\tmediapipe\x1a\x1bcalcgraph/proto/graph.proto"\xcf\x01\n\x0cGraphProfile'
    b'\x126\n\x0bgraph_trace\x18\x01 \x03(\x0b2\x15.mediapipe.GraphTraceR\ngraphTrace\x12M\n\x13calculator_profiles\x18\x02 \x03(\x0b2\x1c.'
    b'mediapipe.CalculatorProfileR\x12calculatorProfiles\x128\n\x06config\x18\x03 \x01(\x0b2 .mediapipe.CalculatorGr'
    b'aphConfigR\x06config"\xa4\x03\n\x11CalculatorProfile\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12$\n\x0copen_runtime\x18\x02 \x01(\x03:\x010R\x0bop'
    b'enRuntime\x12&\n\rclose_runtime\x18\x03 \x01(\x03:\x010R\x0ccloseRuntime\x12A\n\x0fprocess_runtime\x18\x04 \x01(\x0b2\x18.mediapipe.T'
    b'imeHistogramR\x0eprocessRuntime\x12L\n\x15process_input_latency\x18\x05 \x01(\x0b2\x18.mediapipe.TimeHistogramR\x13p'
    b'rocessInputLatency\x12N\n\x16process_output_latency\x18\x06 \x01(\x0b2\x18.mediapipe.TimeHistogramR\x14processOut'
    b'putLatency\x12L\n\x15input_stream_profiles\x18\x07 \x03(\x0b2\x18.mediapipe.StreamProfileR\x13inputStreamProfiles'
    b'"{\n\rStreamProfile\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12"\n\tback_edge\x18\x02 \x01(\x08:\x05falseR\x08backEdge\x122\n\x07latency\x18\x03 \x01'
    b'(\x0b2\x18.mediapipe.TimeHistogramR\x07latency"\x9d\x01\n\rTimeHistogram\x12\x17\n\x05total\x18\x01 \x01(\x03:\x010R\x05total\x125\n\x12inte'
    b'rval_size_usec\x18\x02 \x01(\x03:\x071000000R\x10intervalSizeUsec\x12&\n\rnum_intervals\x18\x03 \x01(\x03:\x011R\x0cnumIntervals\x12'
    b'\x14\n\x05count\x18\x04 \x03(\x03R\x05count"\xcb\t\n\nGraphTrace\x12\x1b\n\tbase_time\x18\x01 \x01(\x03R\x08baseTime\x12%\n\x0ebase_timestamp\x18\x02 \x01('
    b"\x03R\rbaseTimestamp\x12'\n\x0fcalculator_name\x18\x03 \x03(\tR\x0ecalculatorName\x12\x1f\n\x0bstream_name\x18\x04 \x03(\tR\nstreamNa"
    b'me\x12P\n\x10calculator_trace\x18\x05 \x03(\x0b2%.mediapipe.GraphTrace.CalculatorTraceR\x0fcalculatorTrace\x1a\xd5\x01\n'
    b'\x0bStreamTrace\x12\x1d\n\nstart_time\x18\x01 \x01(\x03R\tstartTime\x12\x1f\n\x0bfinish_time\x18\x02 \x01(\x03R\nfinishTime\x12)\n\x10packet_t'
    b'imestamp\x18\x03 \x01(\x03R\x0fpacketTimestamp\x12\x1b\n\tstream_id\x18\x04 \x01(\x05R\x08streamId\x12\x1f\n\tpacket_id\x18\x05 \x01(\x03B\x02\x18\x01R\x08pac'
    b"ketId\x12\x1d\n\nevent_data\x18\x06 \x01(\x03R\teventData\x1a\xfa\x02\n\x0fCalculatorTrace\x12\x17\n\x07node_id\x18\x01 \x01(\x05R\x06nodeId\x12'\n\x0finp"
    b'ut_timestamp\x18\x02 \x01(\x03R\x0einputTimestamp\x12>\n\nevent_type\x18\x03 \x01(\x0e2\x1f.mediapipe.GraphTrace.EventTypeR'
    b'\teventType\x12\x1d\n\nstart_time\x18\x04 \x01(\x03R\tstartTime\x12\x1f\n\x0bfinish_time\x18\x05 \x01(\x03R\nfinishTime\x12B\n\x0binput_trac'
    b'e\x18\x06 \x03(\x0b2!.mediapipe.GraphTrace.StreamTraceR\ninputTrace\x12D\n\x0coutput_trace\x18\x07 \x03(\x0b2!.mediapipe'
    b'.GraphTrace.StreamTraceR\x0boutputTrace\x12\x1b\n\tthread_id\x18\x08 \x01(\x05R\x08threadId"\x87\x03\n\tEventType\x12\x0b\n\x07UNKNO'
    b'WN\x10\x00\x12\x08\n\x04OPEN\x10\x01\x12\x0b\n\x07PROCESS\x10\x02\x12\t\n\x05CLOSE\x10\x03\x12\r\n\tNOT_READY\x10\x04\x12\x15\n\x11READY_FOR_PROCESS\x10\x05\x12\x13\n\x0fREADY_FO'
    b'R_CLOSE\x10\x06\x12\r\n\tTHROTTLED\x10\x07\x12\x0f\n\x0bUNTHROTTLED\x10\x08\x12\x11\n\rCPU_TASK_USER\x10\t\x12\x13\n\x0fCPU_TASK_SYSTEM\x10\n\x12\x0c\n\x08GPU'
    b'_TASK\x10\x0b\x12\x0c\n\x08DSP_TASK\x10\x0c\x12\x0c\n\x08TPU_TASK\x10\r\x12\x13\n\x0fGPU_CALIBRATION\x10\x0e\x12\x11\n\rPACKET_QUEUED\x10\x0f\x12\x13\n\x0fGPU_TASK_'
    b'INVOKE\x10\x10\x12\x13\n\x0fTPU_TASK_INVOKE\x10\x11\x12\x13\n\x0fCPU_TASK_INVOKE\x10\x12\x12\x1c\n\x18GPU_TASK_INVOKE_ADVANCED\x10\x13\x12\x19\n\x15TPU_'
    b'TASK_INVOKE_ASYNC\x10\x14'
)

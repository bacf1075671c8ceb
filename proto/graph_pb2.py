"""Generated from graph.proto by `make proto`: do not edit."""

import calcgraph.proto.options_pb2
from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1bcalcgraph/proto/graph.proto\x12\tmediapipe\x1a\x1dcalcgraph/proto/options.proto\x1a\x19google/protobuf'
    b'/any.proto"\xc0\x0f\n\x15CalculatorGraphConfig\x129\n\x04node\x18\x01 \x03(\x0b2%.mediapipe.CalculatorGraphConfig.Nod'
    b'eR\x04node\x12E\n\x0epacket_factory\x18\x06 \x03(\x0b2\x1e.mediapipe.PacketFactoryConfigR\rpacketFactory\x12O\n\x10packet'
    b'_generator\x18\x07 \x03(\x0b2 .mediapipe.PacketGeneratorConfigB\x02\x18\x01R\x0fpacketGenerator\x12\x1f\n\x0bnum_threads\x18\x08'
    b' \x01(\x05R\nnumThreads\x12E\n\x0estatus_handler\x18\t \x03(\x0b2\x1e.mediapipe.StatusHandlerConfigR\rstatusHandler\x12'
    b'!\n\x0cinput_stream\x18\n \x03(\tR\x0binputStream\x12#\n\routput_stream\x18\x0f \x03(\tR\x0coutputStream\x12*\n\x11input_side_pa'
    b'cket\x18\x10 \x03(\tR\x0finputSidePacket\x12,\n\x12output_side_packet\x18\x11 \x03(\tR\x10outputSidePacket\x12$\n\x0emax_queue_s'
    b"ize\x18\x0b \x01(\x05R\x0cmaxQueueSize\x12'\n\x0freport_deadlock\x18\x15 \x01(\x08R\x0ereportDeadlock\x12D\n\x0cruntime_info\x18\x16 \x01(\x0b2!"
    b'.mediapipe.GraphRuntimeInfoConfigR\x0bruntimeInfo\x12U\n\x14input_stream_handler\x18\x0c \x01(\x0b2#.mediapipe'
    b'.InputStreamHandlerConfigR\x12inputStreamHandler\x12X\n\x15output_stream_handler\x18\r \x01(\x0b2$.mediapipe'
    b'.OutputStreamHandlerConfigR\x13outputStreamHandler\x125\n\x08executor\x18\x0e \x03(\x0b2\x19.mediapipe.ExecutorCo'
    b'nfigR\x08executor\x12B\n\x0fprofiler_config\x18\x12 \x01(\x0b2\x19.mediapipe.ProfilerConfigR\x0eprofilerConfig\x12\x18\n\x07pa'
    b'ckage\x18\x13 \x01(\tR\x07package\x12\x12\n\x04type\x18\x14 \x01(\tR\x04type\x126\n\x07options\x18\xe9\x07 \x01(\x0b2\x1b.mediapipe.MediaPipeOptionsR'
    b'\x07options\x12:\n\rgraph_options\x18\xea\x07 \x03(\x0b2\x14.google.protobuf.AnyR\x0cgraphOptions\x1a\xe6\x06\n\x04Node\x12\x12\n\x04name\x18\x01 '
    b'\x01(\tR\x04name\x12\x1e\n\ncalculator\x18\x02 \x01(\tR\ncalculator\x12!\n\x0cinput_stream\x18\x03 \x03(\tR\x0binputStream\x12#\n\routput_s'
    b'tream\x18\x04 \x03(\tR\x0coutputStream\x12*\n\x11input_side_packet\x18\x05 \x03(\tR\x0finputSidePacket\x12,\n\x12output_side_pac'
    b'ket\x18\x06 \x03(\tR\x10outputSidePacket\x126\n\x07options\x18\x07 \x01(\x0b2\x1c.mediapipe.CalculatorOptionsR\x07options\x127\n\x0cn'
    b'ode_options\x18\x08 \x03(\x0b2\x14.google.protobuf.AnyR\x0bnodeOptions\x12!\n\x0csource_layer\x18\t \x01(\x05R\x0bsourceLayer\x12'
    b'(\n\x10buffer_size_hint\x18\n \x01(\x05R\x0ebufferSizeHint\x12U\n\x14input_stream_handler\x18\x0b \x01(\x0b2#.mediapipe.Inpu'
    b'tStreamHandlerConfigR\x12inputStreamHandler\x12X\n\x15output_stream_handler\x18\x0c \x01(\x0b2$.mediapipe.Outp'
    b'utStreamHandlerConfigR\x13outputStreamHandler\x12F\n\x11input_stream_info\x18\r \x03(\x0b2\x1a.mediapipe.InputS'
    b'treamInfoR\x0finputStreamInfo\x12\x1a\n\x08executor\x18\x0e \x01(\tR\x08executor\x12F\n\x0fprofiler_config\x18\x0f \x01(\x0b2\x19.mediap'
    b'ipe.ProfilerConfigB\x02\x18\x01R\x0eprofilerConfig\x12"\n\rmax_in_flight\x18\x10 \x01(\x05R\x0bmaxInFlight\x12!\n\x0coption_val'
    b'ue\x18\x11 \x03(\tR\x0boptionValue\x12&\n\x0eexternal_input\x18\xed\x07 \x03(\tR\rexternalInput"K\n\x0fInputStreamInfo\x12\x1b\n\ttag_'
    b'index\x18\x01 \x01(\tR\x08tagIndex\x12\x1b\n\tback_edge\x18\x02 \x01(\x08R\x08backEdge"o\n\x0eExecutorConfig\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name'
    b'\x12\x12\n\x04type\x18\x02 \x01(\tR\x04type\x125\n\x07options\x18\x03 \x01(\x0b2\x1b.mediapipe.MediaPipeOptionsR\x07options"\xce\x07\n\x0eProfiler'
    b'Config\x12?\n\x1chistogram_interval_size_usec\x18\x01 \x01(\x03R\x19histogramIntervalSizeUsec\x126\n\x17num_histogram'
    b'_intervals\x18\x02 \x01(\x03R\x15numHistogramIntervals\x12A\n\x1benable_input_output_latency\x18\x03 \x01(\x08B\x02\x18\x01R\x18enable'
    b"InputOutputLatency\x12'\n\x0fenable_profiler\x18\x04 \x01(\x08R\x0eenableProfiler\x122\n\x15enable_stream_latency\x18\x05 \x01"
    b'(\x08R\x13enableStreamLatency\x12O\n%use_packet_timestamp_for_added_packet\x18\x06 \x01(\x08R usePacketTimesta'
    b'mpForAddedPacket\x12,\n\x12trace_log_capacity\x18\x07 \x01(\x03R\x10traceLogCapacity\x12;\n\x1atrace_event_types_disa'
    b'bled\x18\x08 \x03(\x05R\x17traceEventTypesDisabled\x12$\n\x0etrace_log_path\x18\t \x01(\tR\x0ctraceLogPath\x12&\n\x0ftrace_log_c'
    b'ount\x18\n \x01(\x05R\rtraceLogCount\x125\n\x17trace_log_interval_usec\x18\x0b \x01(\x03R\x14traceLogIntervalUsec\x121\n\x15trac'
    b'e_log_margin_usec\x18\x0c \x01(\x03R\x12traceLogMarginUsec\x12=\n\x19trace_log_duration_events\x18\r \x01(\x08B\x02\x18\x01R\x16trac'
    b'eLogDurationEvents\x127\n\x18trace_log_interval_count\x18\x0e \x01(\x05R\x15traceLogIntervalCount\x12,\n\x12trace_log'
    b'_disabled\x18\x0f \x01(\x08R\x10traceLogDisabled\x12#\n\rtrace_enabled\x18\x10 \x01(\x08R\x0ctraceEnabled\x127\n\x18trace_log_inst'
    b'ant_events\x18\x11 \x01(\x08R\x15traceLogInstantEvents\x12+\n\x11calculator_filter\x18\x12 \x01(\tR\x10calculatorFilter"\x83\x01\n'
    b'\x16GraphRuntimeInfoConfig\x129\n\x19enable_graph_runtime_info\x18\x01 \x01(\x08R\x16enableGraphRuntimeInfo\x12.\n\x13ca'
    b'pture_period_msec\x18\x02 \x01(\rR\x11capturePeriodMsec"\x90\x01\n\x10GraphRuntimeInfo\x12/\n\x14capture_time_unix_us\x18'
    b'\x01 \x01(\x03R\x11captureTimeUnixUs\x12K\n\x10calculator_infos\x18\x02 \x03(\x0b2 .mediapipe.CalculatorRuntimeInfoR\x0fca'
    b'lculatorInfos"\xaf\x02\n\x15CalculatorRuntimeInfo\x12\'\n\x0fcalculator_name\x18\x01 \x01(\tR\x0ecalculatorName\x12:\n\x1alast'
    b'_process_start_unix_us\x18\x02 \x01(\x03R\x16lastProcessStartUnixUs\x12<\n\x1blast_process_finish_unix_us\x18\x03 \x01('
    b"\x03R\x17lastProcessFinishUnixUs\x12'\n\x0ftimestamp_bound\x18\x04 \x01(\x03R\x0etimestampBound\x12J\n\x12input_stream_info"
    b's\x18\x05 \x03(\x0b2\x1c.mediapipe.StreamRuntimeInfoR\x10inputStreamInfos"\xc7\x01\n\x11StreamRuntimeInfo\x12\x1f\n\x0bstream_'
    b'name\x18\x01 \x01(\tR\nstreamName\x12\x1d\n\nqueue_size\x18\x02 \x01(\x05R\tqueueSize\x125\n\x17number_of_packets_added\x18\x03 \x01(\x05R\x14'
    b'numberOfPacketsAdded\x12;\n\x1aminimum_timestamp_or_bound\x18\x04 \x01(\x03R\x17minimumTimestampOrBound"\xcf\x02\n\x0fIn'
    b'putCollection\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12(\n\x10side_packet_name\x18\x02 \x03(\tR\x0esidePacketName\x12/\n\x13external_'
    b'input_name\x18\xea\x07 \x03(\tR\x11externalInputName\x12C\n\ninput_type\x18\x03 \x01(\x0e2$.mediapipe.InputCollection.Inp'
    b'utTypeR\tinputType\x12\x1b\n\tfile_name\x18\x04 \x01(\tR\x08fileName"k\n\tInputType\x12\x0b\n\x07UNKNOWN\x10\x00\x12\x0c\n\x08RECORDIO\x10\x01\x12\x14'
    b'\n\x10FOREIGN_RECORDIO\x10\x02\x12\x14\n\x10FOREIGN_CSV_TEXT\x10\x03\x12\x17\n\x13INVALID_UPPER_BOUND\x10\x04"[\n\x12InputCollectionSe'
    b't\x12E\n\x10input_collection\x18\x01 \x03(\x0b2\x1a.mediapipe.InputCollectionR\x0finputCollectionb\x06proto3'
)

"""Generated from handlers.proto by `make proto`: do not edit."""

import calcgraph.proto.options_pb2
from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1ecalcgraph/proto/handlers.proto\x12\tmediapipe\x1a\x1dcalcgraph/proto/options.proto"\xa3\x01\n DefaultIn'
    b'putStreamHandlerOptions\x12 \n\nbatch_size\x18\x01 \x01(\x05:\x011R\tbatchSize2]\n\x03ext\x12\x1b.mediapipe.MediaPipeOp'
    b'tions\x18\xf5\xed\xacN \x01(\x0b2+.mediapipe.DefaultInputStreamHandlerOptionsR\x03ext"\xf9\x01\n SyncSetInputStreamH'
    b'andlerOptions\x12N\n\x08sync_set\x18\x01 \x03(\x0b23.mediapipe.SyncSetInputStreamHandlerOptions.SyncSetR\x07sy'
    b'ncSet\x1a&\n\x07SyncSet\x12\x1b\n\ttag_index\x18\x01 \x03(\tR\x08tagIndex2]\n\x03ext\x12\x1b.mediapipe.MediaPipeOptions\x18\xd1\xa2\xa6J \x01'
    b'(\x0b2+.mediapipe.SyncSetInputStreamHandlerOptionsR\x03ext"\x92\x02\n"FixedSizeInputStreamHandlerOpti'
    b'ons\x12/\n\x12trigger_queue_size\x18\x01 \x01(\x05:\x012R\x10triggerQueueSize\x12-\n\x11target_queue_size\x18\x02 \x01(\x05:\x011R\x0ftarg'
    b'etQueueSize\x12+\n\x0efixed_min_size\x18\x03 \x01(\x08:\x05falseR\x0cfixedMinSize2_\n\x03ext\x12\x1b.mediapipe.MediaPipeOpt'
    b'ions\x18\xbf\xe9\xfa; \x01(\x0b2-.mediapipe.FixedSizeInputStreamHandlerOptionsR\x03ext"\xc8\x01\n\'TimestampAlignInpu'
    b'tStreamHandlerOptions\x127\n\x18timestamp_base_tag_index\x18\x01 \x01(\tR\x15timestampBaseTagIndex2d\n\x03ext\x12\x1b.'
    b'mediapipe.MediaPipeOptions\x18\x93\x8b\xd3Z \x01(\x0b22.mediapipe.TimestampAlignInputStreamHandlerOptionsR'
    b'\x03ext"\xc7\x03\n\x19ThreadPoolExecutorOptions\x12\x1f\n\x0bnum_threads\x18\x01 \x01(\x05R\nnumThreads\x12\x1d\n\nstack_size\x18\x02 \x01(\x05R'
    b'\tstackSize\x12.\n\x13nice_priority_level\x18\x03 \x01(\x05R\x11nicePriorityLevel\x12}\n\x1drequire_processor_performa'
    b'nce\x18\x04 \x01(\x0e29.mediapipe.ThreadPoolExecutorOptions.ProcessorPerformanceR\x1brequireProcessorPe'
    b'rformance\x12,\n\x12thread_name_prefix\x18\x05 \x01(\tR\x10threadNamePrefix"5\n\x14ProcessorPerformance\x12\n\n\x06NORMA'
    b'L\x10\x00\x12\x07\n\x03LOW\x10\x01\x12\x08\n\x04HIGH\x10\x022V\n\x03ext\x12\x1b.mediapipe.MediaPipeOptions\x18\x93\xd3\xf5J \x01(\x0b2$.mediapipe.ThreadPo'
    b'olExecutorOptionsR\x03ext'
)

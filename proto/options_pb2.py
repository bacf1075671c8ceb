"""Generated from options.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1dcalcgraph/proto/options.proto\x12\tmediapipe"F\n\x11CalculatorOptions\x12%\n\x0cmerge_fields\x18\x01 \x01(\x08B\x02\x18'
    b'\x01R\x0bmergeFields*\n\x08\xa0\x9c\x01\x10\x80\x80\x80\x80\x02"\x1e\n\x10MediaPipeOptions*\n\x08\xa0\x9c\x01\x10\x80\x80\x80\x80\x02"\x9e\x01\n\x18InputStreamHandlerConfig\x12'
    b'K\n\x14input_stream_handler\x18\x01 \x01(\t:\x19DefaultInputStreamHandlerR\x12inputStreamHandler\x125\n\x07options\x18'
    b'\x03 \x01(\x0b2\x1b.mediapipe.MediaPipeOptionsR\x07options"\xce\x01\n\x19OutputStreamHandlerConfig\x12N\n\x15output_stre'
    b'am_handler\x18\x01 \x01(\t:\x1aInOrderOutputStreamHandlerR\x13outputStreamHandler\x12*\n\x11input_side_packet\x18\x02'
    b' \x03(\tR\x0finputSidePacket\x125\n\x07options\x18\x03 \x01(\x0b2\x1b.mediapipe.MediaPipeOptionsR\x07options"\xc7\x01\n\x13StatusH'
    b'andlerConfig\x12%\n\x0estatus_handler\x18\x01 \x01(\tR\rstatusHandler\x12*\n\x11input_side_packet\x18\x02 \x03(\tR\x0finputSid'
    b'ePacket\x12&\n\x0eexternal_input\x18\xea\x07 \x03(\tR\rexternalInput\x125\n\x07options\x18\x03 \x01(\x0b2\x1b.mediapipe.MediaPipeOp'
    b'tionsR\x07options""\n\x14PacketFactoryOptions*\n\x08\xa0\x9c\x01\x10\x80\x80\x80\x80\x02"\xcf\x01\n\x13PacketFactoryConfig\x12%\n\x0epacket_fac'
    b'tory\x18\x01 \x01(\tR\rpacketFactory\x12,\n\x12output_side_packet\x18\x02 \x01(\tR\x10outputSidePacket\x12(\n\x0fexternal_outp'
    b'ut\x18\xea\x07 \x01(\tR\x0eexternalOutput\x129\n\x07options\x18\x03 \x01(\x0b2\x1f.mediapipe.PacketFactoryOptionsR\x07options"M\n\x13'
    b'PacketManagerConfig\x126\n\x06packet\x18\x01 \x03(\x0b2\x1e.mediapipe.PacketFactoryConfigR\x06packet"M\n\x16PacketGen'
    b'eratorOptions\x12\'\n\x0cmerge_fields\x18\x01 \x01(\x08:\x04trueR\x0bmergeFields*\n\x08\xa0\x9c\x01\x10\x80\x80\x80\x80\x02"\xab\x02\n\x15PacketGeneratorCo'
    b'nfig\x12)\n\x10packet_generator\x18\x01 \x01(\tR\x0fpacketGenerator\x12*\n\x11input_side_packet\x18\x02 \x03(\tR\x0finputSidePac'
    b'ket\x12&\n\x0eexternal_input\x18\xea\x07 \x03(\tR\rexternalInput\x12,\n\x12output_side_packet\x18\x03 \x03(\tR\x10outputSidePacke'
    b't\x12(\n\x0fexternal_output\x18\xeb\x07 \x03(\tR\x0eexternalOutput\x12;\n\x07options\x18\x04 \x01(\x0b2!.mediapipe.PacketGenerator'
    b'OptionsR\x07options'
)

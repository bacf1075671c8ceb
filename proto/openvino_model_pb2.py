"""Generated from openvino_model.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n$calcgraph/proto/openvino_model.proto\x12\tcalcgraph"\xbb\x03\n\x14OpenVINOModelOptions\x12#\n\x0bmodels_pat'
    b'h\x18\x01 \x01(\t:\x02./R\nmodelsPath\x12(\n\rtarget_device\x18\x02 \x01(\t:\x03CPUR\x0ctargetDevice\x12#\n\rplugin_config\x18\x03 \x01(\t'
    b'R\x0cpluginConfig\x12\x14\n\x05nireq\x18\x04 \x01(\rR\x05nireq\x12\x1d\n\nbatch_size\x18\x05 \x01(\tR\tbatchSize\x12@\n\x05shape\x18\x06 \x03(\x0b2*.cal'
    b'cgraph.OpenVINOModelOptions.ShapeEntryR\x05shape\x12C\n\x06layout\x18\x07 \x03(\x0b2+.calcgraph.OpenVINOModelO'
    b'ptions.LayoutEntryR\x06layout\x1a8\n\nShapeEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x01\x1a9\n\x0b'
    b'LayoutEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x01'
)

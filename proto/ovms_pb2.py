"""Generated from ovms.proto by `make proto`: do not edit."""

import calcgraph.proto.options_pb2
from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1acalcgraph/proto/ovms.proto\x12\tmediapipe\x1a\x1dcalcgraph/proto/options.proto"\xc2\x03\n\x1dEmbeddingsCal'
    b'culatorOVOptions\x12\x1f\n\x0bmodels_path\x18\x01 \x02(\tR\nmodelsPath\x127\n\x14normalize_embeddings\x18\x02 \x01(\x08:\x04trueR\x13n'
    b'ormalizeEmbeddings\x12(\n\rtarget_device\x18\x03 \x01(\t:\x03CPUR\x0ctargetDevice\x12%\n\rplugin_config\x18\x04 \x01(\t:\x00R\x0cp'
    b'luginConfig\x12O\n\x07pooling\x18\x05 \x01(\x0e20.mediapipe.EmbeddingsCalculatorOVOptions.Pooling:\x03CLSR\x07poo'
    b'ling\x12!\n\x08truncate\x18\x06 \x01(\x08:\x05falseR\x08truncate"&\n\x07Pooling\x12\x07\n\x03CLS\x10\x00\x12\x08\n\x04LAST\x10\x01\x12\x08\n\x04MEAN\x10\x022Z\n\x03ext\x12\x1c'
    b'.mediapipe.CalculatorOptions\x18\x92\xa1E \x01(\x0b2(.mediapipe.EmbeddingsCalculatorOVOptionsR\x03ext"\xb5\x02\n\x19'
    b'RerankCalculatorOVOptions\x12\x1f\n\x0bmodels_path\x18\x01 \x02(\tR\nmodelsPath\x123\n\x12max_allowed_chunks\x18\x02 \x01(\x04:\x05'
    b'10000R\x10maxAllowedChunks\x12\x1d\n\nmax_length\x18\x03 \x01(\x04R\tmaxLength\x12#\n\rtarget_device\x18\x04 \x01(\tR\x0ctargetDev'
    b'ice\x12%\n\rplugin_config\x18\x05 \x01(\t:\x00R\x0cpluginConfig2W\n\x03ext\x12\x1c.mediapipe.CalculatorOptions\x18\xd2\xf1\x8d6 \x01(\x0b'
    b'2$.mediapipe.RerankCalculatorOVOptionsR\x03ext"\xa3\x01\n\x1fPythonExecutorCalculatorOptions\x12!\n\x0chandl'
    b'er_path\x18\x01 \x02(\tR\x0bhandlerPath2]\n\x03ext\x12\x1c.mediapipe.CalculatorOptions\x18\xd4\xf1\x8d6 \x01(\x0b2*.mediapipe.Pyt'
    b'honExecutorCalculatorOptionsR\x03ext"\xd1\x02\n+OpenVINOModelServerSessionCalculatorOptions\x12#\n\rser'
    b'vable_name\x18\x01 \x02(\tR\x0cservableName\x12)\n\x10servable_version\x18\x02 \x01(\tR\x0fservableVersion\x12\x1f\n\x0bservice_url'
    b'\x18\x03 \x01(\tR\nserviceUrl\x12#\n\rserver_config\x18\x04 \x01(\tR\x0cserverConfig\x12!\n\tlog_level\x18\x05 \x01(\t:\x04INFOR\x08logLev'
    b'el2i\n\x03ext\x12\x1c.mediapipe.CalculatorOptions\x18\xd0\xf1\x8d6 \x01(\x0b26.mediapipe.OpenVINOModelServerSessionC'
    b'alculatorOptionsR\x03ext'
)

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
    b'.mediapipe.CalculatorOptions\x18\x92\xa1E \x01(\x0b2(.mediapipe.EmbeddingsCalculatorOVOptionsR\x03ext"\xd3\x02\n\x19'
    b'RerankCalculatorOVOptions\x12\x1f\n\x0bmodels_path\x18\x01 \x02(\tR\nmodelsPath\x123\n\x12max_allowed_chunks\x18\x02 \x01(\x04:\x05'
    b'10000R\x10maxAllowedChunks\x126\n\x17max_position_embeddings\x18\x03 \x01(\x04R\x15maxPositionEmbeddings\x12(\n\rtarge'
    b't_device\x18\x04 \x01(\t:\x03CPUR\x0ctargetDevice\x12%\n\rplugin_config\x18\x05 \x01(\t:\x00R\x0cpluginConfig2W\n\x03ext\x12\x1c.mediap'
    b'ipe.CalculatorOptions\x18\xd2\xf1\x8d6 \x01(\x0b2$.mediapipe.RerankCalculatorOVOptionsR\x03ext"\xa3\x01\n\x1fPythonExec'
    b'utorCalculatorOptions\x12!\n\x0chandler_path\x18\x01 \x02(\tR\x0bhandlerPath2]\n\x03ext\x12\x1c.mediapipe.CalculatorOp'
    b'tions\x18\xd4\xf1\x8d6 \x01(\x0b2*.mediapipe.PythonExecutorCalculatorOptionsR\x03ext"\xd1\x02\n+OpenVINOModelServerS'
    b'essionCalculatorOptions\x12#\n\rservable_name\x18\x01 \x02(\tR\x0cservableName\x12)\n\x10servable_version\x18\x02 \x01(\tR\x0f'
    b'servableVersion\x12\x1f\n\x0bservice_url\x18\x03 \x01(\tR\nserviceUrl\x12#\n\rserver_config\x18\x04 \x01(\tR\x0cserverConfig\x12!\n'
    b'\tlog_level\x18\x05 \x01(\t:\x04INFOR\x08logLevel2i\n\x03ext\x12\x1c.mediapipe.CalculatorOptions\x18\xd0\xf1\x8d6 \x01(\x0b26.mediapi'
    b'pe.OpenVINOModelServerSessionCalculatorOptionsR\x03ext"\xfe\x04\n"OpenVINOInferenceCalculatorOptio'
    b'ns\x12\x82\x01\n\x19tag_to_input_tensor_names\x18\x01 \x03(\x0b2H.mediapipe.OpenVINOInferenceCalculatorOptions.Ta'
    b'gToInputTensorNamesEntryR\x15tagToInputTensorNames\x12\x85\x01\n\x1atag_to_output_tensor_names\x18\x02 \x03(\x0b2I.m'
    b'ediapipe.OpenVINOInferenceCalculatorOptions.TagToOutputTensorNamesEntryR\x16tagToOutputTens'
    b'orNames\x12(\n\x10input_order_list\x18\x03 \x03(\tR\x0einputOrderList\x12*\n\x11output_order_list\x18\x04 \x03(\tR\x0foutputOrde'
    b'rList\x1aH\n\x1aTagToInputTensorNamesEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x01\x1aI\n\x1bTagTo'
    b'OutputTensorNamesEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x012`\n\x03ext\x12\x1c.mediapipe.Ca'
    b'lculatorOptions\x18\xcf\xf1\x8d6 \x01(\x0b2-.mediapipe.OpenVINOInferenceCalculatorOptionsR\x03ext"\xf1\x02\n*PyTenso'
    b'rOvTensorConverterCalculatorOptions\x12\x8d\x01\n\x1atag_to_output_tensor_names\x18\x01 \x03(\x0b2Q.mediapipe.PyT'
    b'ensorOvTensorConverterCalculatorOptions.TagToOutputTensorNamesEntryR\x16tagToOutputTensorNa'
    b'mes\x1aI\n\x1bTagToOutputTensorNamesEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n\x05value\x18\x02 \x01(\tR\x05value:\x028\x012h\n\x03ext\x12\x1c.'
    b'mediapipe.CalculatorOptions\x18\xd5\xf1\x8d6 \x01(\x0b25.mediapipe.PyTensorOvTensorConverterCalculatorOpti'
    b'onsR\x03ext'
)

"""Generated from reflection.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n calcgraph/proto/reflection.proto\x12\x12grpc.reflection.v1"\xf3\x02\n\x17ServerReflectionRequest\x12\x12\n\x04ho'
    b'st\x18\x01 \x01(\tR\x04host\x12*\n\x10file_by_filename\x18\x03 \x01(\tH\x00R\x0efileByFilename\x126\n\x16file_containing_symbol\x18\x04 \x01'
    b'(\tH\x00R\x14fileContainingSymbol\x12b\n\x19file_containing_extension\x18\x05 \x01(\x0b2$.grpc.reflection.v1.Exten'
    b'sionRequestH\x00R\x17fileContainingExtension\x12B\n\x1dall_extension_numbers_of_type\x18\x06 \x01(\tH\x00R\x19allExte'
    b'nsionNumbersOfType\x12%\n\rlist_services\x18\x07 \x01(\tH\x00R\x0clistServicesB\x11\n\x0fmessage_request"f\n\x10Extensio'
    b"nRequest\x12'\n\x0fcontaining_type\x18\x01 \x01(\tR\x0econtainingType\x12)\n\x10extension_number\x18\x02 \x01(\x05R\x0fextensionNu"
    b'mber"\xae\x04\n\x18ServerReflectionResponse\x12\x1d\n\nvalid_host\x18\x01 \x01(\tR\tvalidHost\x12V\n\x10original_request\x18\x02 \x01'
    b'(\x0b2+.grpc.reflection.v1.ServerReflectionRequestR\x0foriginalRequest\x12f\n\x18file_descriptor_resp'
    b'onse\x18\x04 \x01(\x0b2*.grpc.reflection.v1.FileDescriptorResponseH\x00R\x16fileDescriptorResponse\x12r\n\x1eall_'
    b'extension_numbers_response\x18\x05 \x01(\x0b2+.grpc.reflection.v1.ExtensionNumberResponseH\x00R\x1ballExte'
    b"nsionNumbersResponse\x12_\n\x16list_services_response\x18\x06 \x01(\x0b2'.grpc.reflection.v1.ListServiceRes"
    b'ponseH\x00R\x14listServicesResponse\x12J\n\x0eerror_response\x18\x07 \x01(\x0b2!.grpc.reflection.v1.ErrorResponse'
    b'H\x00R\rerrorResponseB\x12\n\x10message_response"L\n\x16FileDescriptorResponse\x122\n\x15file_descriptor_proto'
    b'\x18\x01 \x03(\x0cR\x13fileDescriptorProto"j\n\x17ExtensionNumberResponse\x12$\n\x0ebase_type_name\x18\x01 \x01(\tR\x0cbaseType'
    b'Name\x12)\n\x10extension_number\x18\x02 \x03(\x05R\x0fextensionNumber"T\n\x13ListServiceResponse\x12=\n\x07service\x18\x01 \x03(\x0b2'
    b'#.grpc.reflection.v1.ServiceResponseR\x07service"%\n\x0fServiceResponse\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name"S\n\r'
    b'ErrorResponse\x12\x1d\n\nerror_code\x18\x01 \x01(\x05R\terrorCode\x12#\n\rerror_message\x18\x02 \x01(\tR\x0cerrorMessage2\x89\x01\n\x10Se'
    b'rverReflection\x12u\n\x14ServerReflectionInfo\x12+.grpc.reflection.v1.ServerReflectionRequest\x1a,.gr'
    b'pc.reflection.v1.ServerReflectionResponse(\x010\x01b\x06proto3'
)

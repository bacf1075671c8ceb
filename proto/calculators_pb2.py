"""Generated from calculators.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n!calcgraph/proto/calculators.proto\x12\tcalcgraph"5\n\x10HttpInputOptions\x12!\n\tmax_texts\x18\x01 \x01(\r:\x042'
    b'048R\x08maxTexts"y\n\x10TokenizerOptions\x12#\n\x0bmodels_path\x18\x01 \x01(\t:\x02./R\nmodelsPath\x12!\n\x08truncate\x18\x02 \x01(\x08'
    b':\x05falseR\x08truncate\x12\x1d\n\nmax_length\x18\x03 \x01(\rR\tmaxLength"u\n\x0ePoolingOptions\x12;\n\x07pooling\x18\x01 \x01(\x0e2!.ca'
    b'lcgraph.PoolingOptions.PoolingR\x07pooling"&\n\x07Pooling\x12\x07\n\x03CLS\x10\x00\x12\x08\n\x04LAST\x10\x01\x12\x08\n\x04MEAN\x10\x02"2\n\x10Norma'
    b'lizeOptions\x12\x1e\n\x07enabled\x18\x01 \x01(\x08:\x04trueR\x07enabled"\x13\n\x11SerializerOptions'
)

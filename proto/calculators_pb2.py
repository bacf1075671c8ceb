"""Generated from calculators.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n!calcgraph/proto/calculators.proto\x12\tcalcgraph"5\n\x10HttpInputOptions\x12!\n\tmax_texts\x18\x01 \x01(\r:\x042'
    b'048R\x08maxTexts"\x98\x02\n\x15PromptTemplateOptions\x12#\n\x0bmodels_path\x18\x01 \x01(\t:\x02./R\nmodelsPath\x12?\n\x06prompt\x18\x02'
    b" \x03(\x0b2'.calcgraph.PromptTemplateOptions.PromptR\x06prompt\x12%\n\x0edefault_prompt\x18\x03 \x01(\tR\rdefaultPr"
    b'ompt\x12@\n\x14instruction_template\x18\x04 \x01(\t:\r{instruction}R\x13instructionTemplate\x1a0\n\x06Prompt\x12\x12\n\x04name'
    b'\x18\x01 \x01(\tR\x04name\x12\x12\n\x04text\x18\x02 \x01(\tR\x04text"\xc0\x02\n\x10TokenizerOptions\x12#\n\x0bmodels_path\x18\x01 \x01(\t:\x02./R\nmodelsPa'
    b'th\x12!\n\x08truncate\x18\x02 \x01(\x08:\x05falseR\x08truncate\x12\x1d\n\nmax_length\x18\x03 \x01(\rR\tmaxLength\x12@\n\x08overflow\x18\x04 \x01(\x0e2$'
    b'.calcgraph.TokenizerOptions.OverflowR\x08overflow\x12\x18\n\x07overlap\x18\x05 \x01(\rR\x07overlap\x12&\n\x0btoken_input\x18'
    b'\x06 \x01(\t:\x05modelR\ntokenInput"A\n\x08Overflow\x12\t\n\x05ERROR\x10\x00\x12\x0c\n\x08TRUNCATE\x10\x01\x12\x11\n\rTRUNCATE_LEFT\x10\x02\x12\t\n\x05CHUN'
    b'K\x10\x03"u\n\x0ePoolingOptions\x12;\n\x07pooling\x18\x01 \x01(\x0e2!.calcgraph.PoolingOptions.PoolingR\x07pooling"&\n\x07Po'
    b'oling\x12\x07\n\x03CLS\x10\x00\x12\x08\n\x04LAST\x10\x01\x12\x08\n\x04MEAN\x10\x02"2\n\x10NormalizeOptions\x12\x1e\n\x07enabled\x18\x01 \x01(\x08:\x04trueR\x07enabled"\x13'
    b'\n\x11SerializerOptions'
)

"""Generated from rerank.proto by `make proto`: do not edit."""

from calcgraph.proto.pool import define

define(
    globals(),
    b'\n\x1ccalcgraph/proto/rerank.proto\x12\tcalcgraph"@\n\x12RerankInputOptions\x12*\n\rmax_documents\x18\x01 \x01(\r:\x05'
    b'10000R\x0cmaxDocuments"\xc0\x03\n\x14PairTokenizerOptions\x12#\n\x0bmodels_path\x18\x01 \x01(\t:\x02./R\nmodelsPath\x12\x1d\n\nmax'
    b'_length\x18\x02 \x01(\rR\tmaxLength\x12[\n\x0elong_documents\x18\x03 \x01(\x0e2-.calcgraph.PairTokenizerOptions.LongDo'
    b'cuments:\x05CHUNKR\rlongDocuments\x123\n\x12max_allowed_chunks\x18\x04 \x01(\r:\x0510000R\x10maxAllowedChunks\x12\x18\n\x07ov'
    b'erlap\x18\x05 \x01(\rR\x07overlap\x12#\n\rprompt_prefix\x18\x06 \x01(\tR\x0cpromptPrefix\x12\x16\n\x06prompt\x18\x07 \x01(\tR\x06prompt\x12#\n\rpro'
    b'mpt_suffix\x18\x08 \x01(\tR\x0cpromptSuffix\x12 \n\x0binstruction\x18\t \x01(\tR\x0binstruction"4\n\rLongDocuments\x12\t\n\x05CHU'
    b'NK\x10\x00\x12\x0c\n\x08TRUNCATE\x10\x01\x12\n\n\x06REFUSE\x10\x02"\x98\x02\n\x16RelevanceScoresOptions\x12U\n\nactivation\x18\x01 \x01(\x0e2,.calcgrap'
    b'h.RelevanceScoresOptions.Activation:\x07SIGMOIDR\nactivation\x12I\n\x07windows\x18\x02 \x01(\x0e2).calcgraph.Re'
    b'levanceScoresOptions.Windows:\x04BESTR\x07windows"2\n\nActivation\x12\x0b\n\x07SIGMOID\x10\x00\x12\x0c\n\x08IDENTITY\x10\x01\x12\t\n\x05'
    b'MODEL\x10\x02"(\n\x07Windows\x12\x08\n\x04BEST\x10\x00\x12\x08\n\x04MEAN\x10\x01\x12\t\n\x05FIRST\x10\x02"\x19\n\x17RerankSerializerOptions'
)

"""Tensors of datatype BYTES: each element stands behind its length in four bytes, little-endian.

tritonclient.utils has the same as deserialize_bytes_tensor and serialize_byte_tensor.
"""

import struct

from pyovms import Tensor


def to_texts(tensor):
    data, texts, at = bytes(tensor), [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        texts.append(data[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return texts


def from_texts(name, texts):
    elements = [text.encode() for text in texts]
    data = b"".join(struct.pack("<I", len(element)) + element for element in elements)
    return Tensor(name, data, shape=[len(elements)], datatype="BYTES")

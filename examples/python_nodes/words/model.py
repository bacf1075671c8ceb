"""Gives the words of a text one after the other."""

from pyovms import Tensor


class OvmsPythonModel:
    def execute(self, inputs):
        # The client sends the text's bytes as they are, of datatype UINT8.
        text = bytes(inputs[0]).decode()
        for word in text.split():
            yield [Tensor("word", word.encode())]

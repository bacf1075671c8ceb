"""Normalizes Unicode and white space, as one does before texts are embedded."""

import unicodedata

from bytes_tensor import from_texts, to_texts


class OvmsPythonModel:
    def initialize(self, kwargs):
        self.output_name = kwargs["output_names"][0]

    def execute(self, inputs):
        texts = [
            " ".join(unicodedata.normalize("NFKC", text).split()) for text in to_texts(inputs[0])
        ]
        return [from_texts(self.output_name, texts)]

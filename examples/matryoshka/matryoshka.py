"""A calculator that shortens embeddings: for models trained the Matryoshka way."""

from dataclasses import replace

from calcgraph.calculators.values import Embeddings
from calcgraph.runtime import Calculator


class Truncate(Calculator):
    """Keep the leading numbers of each embedding."""

    inputs = {"EMBEDDINGS": Embeddings}
    outputs = {"EMBEDDINGS": Embeddings}
    stateless = True

    def open(self, cc):
        self.dimensions = int(cc.options["dimensions"])

    def process(self, cc):
        embeddings = cc.inputs["EMBEDDINGS"].value
        shorter = embeddings.vectors[:, : self.dimensions]
        cc.outputs["EMBEDDINGS"].add(replace(embeddings, vectors=shorter))

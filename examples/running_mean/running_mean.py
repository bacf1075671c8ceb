"""A calculator that keeps state: the mean of all embeddings of one stream so far."""

from dataclasses import replace

import numpy as np

from calcgraph.calculators.values import Embeddings
from calcgraph.runtime import Calculator


class RunningMean(Calculator):
    """Answer each request with the mean of all vectors of its stream, in the place of its own."""

    inputs = {"EMBEDDINGS": Embeddings}
    outputs = {"EMBEDDINGS": Embeddings}

    def open(self, cc):
        self.sum, self.count = 0.0, 0

    def process(self, cc):
        embeddings = cc.inputs["EMBEDDINGS"].value
        self.sum = self.sum + embeddings.vectors.sum(axis=0, dtype=np.float64)
        self.count += len(embeddings.vectors)
        mean = np.tile(self.sum / max(self.count, 1), (len(embeddings.vectors), 1))
        cc.outputs["EMBEDDINGS"].add(replace(embeddings, vectors=mean.astype(np.float32)))

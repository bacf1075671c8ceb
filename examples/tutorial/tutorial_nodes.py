"""Calculators of three weights, for docs/tutorial.md."""

import asyncio
from pathlib import Path

from google.protobuf.wrappers_pb2 import Int64Value

from calcgraph.runtime import Calculator
from calcgraph.runtime.function import calculator


@calculator(name="Words", inputs={"TEXT": str}, outputs={"WORDS": list}, light=True)
def words(text):
    """The words of a text."""
    return text.lower().split()


@calculator(name="Lemma", inputs={"WORDS": list}, outputs={"WORDS": list})
async def lemma(cc, words):
    """Words without the endings that options name. Async: other nodes run while it waits."""
    await asyncio.sleep(0)  # where a real one would ask another service
    endings = tuple(cc.options["endings"])
    return [word[: -len(end)] if (end := _ending(word, endings)) else word for word in words]


def _ending(word, endings):
    return next((end for end in endings if word.endswith(end) and word != end), "")


class RunningMean(Calculator):
    """The mean of the last numbers; how many is an option, as a protobuf message."""

    inputs = {"": float}
    outputs = {"": float}
    options = Int64Value
    light = True

    def open(self, cc):
        self.window = cc.options.value or 3
        self.last = []

    def process(self, cc):
        self.last = [*self.last, cc.inputs[0].value][-self.window :]
        cc.outputs[0].add(sum(self.last) / len(self.last))


class KnownShare(Calculator):
    """Which share of the words a dictionary knows. The dictionary is read once for all graphs."""

    inputs = {"WORDS": list}
    outputs = {"SHARE": float}

    @classmethod
    def load(cls, node, graph):
        file = Path(node.base_path) / node.options["dictionary"]
        return frozenset(file.read_text("utf-8").split())

    def open(self, cc):
        self.known = cc.resource
        self.texts = 0

    def process(self, cc):
        words = cc.inputs["WORDS"].value
        self.texts += 1
        cc.outputs["SHARE"].add(sum(word in self.known for word in words) / max(len(words), 1))

    def close(self, cc):
        cc.counter("texts").increment(self.texts)

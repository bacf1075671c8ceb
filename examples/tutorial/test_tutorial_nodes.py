"""Calculators are tested without a server, and without a graph file."""

from google.protobuf.wrappers_pb2 import Int64Value
from tutorial_nodes import KnownShare, RunningMean, lemma, words

from calcgraph.runtime.testing import run


def values(packets):
    return [packet.value for packet in packets]


def test_words():
    out = run(words, {"TEXT": ["The cat", ""]})
    assert values(out["WORDS"]) == [["the", "cat"], []]


def test_lemma():
    out = run(lemma, {"WORDS": [["cats", "sitting", "s"]]}, options={"endings": ["s", "ting"]})
    assert values(out["WORDS"]) == [["cat", "sit", "s"]]


def test_running_mean():
    out = run(RunningMean, {"": [1.0, 2.0, 6.0]}, options=Int64Value(value=2))
    assert values(out[""]) == [1.0, 1.5, 4.0]


def test_known_share():
    out = run(KnownShare, {"WORDS": [["the", "dog"], []]}, resource={"the"})
    assert values(out["SHARE"]) == [0.5, 0.0]

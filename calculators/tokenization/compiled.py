"""openvino_tokenizer.xml through OpenVINO: dear to call, and then the fastest on a batch."""

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import openvino as ov
import openvino_tokenizers  # noqa: F401 - gives every later ov.Core the tokenizer's operations

from calcgraph.calculators.engine.core import new_core
from calcgraph.calculators.tokenization.ids import Ids
from calcgraph.calculators.tokenization.special_tokens import SpecialTokens

# A batch of strings crosses to OpenVINO as a numpy array, each as wide as the longest.
BATCH_TEXTS = 512
BATCH_CHARACTERS = 1 << 20
# A batch in which nothing is left of any text comes back as one row: so something always is.
_COMPANION = "a"


class CompiledTokenizer:
    """Safe for concurrent use; `encode` leaves the GIL while it works.

    The graph is cut before it truncates and pads, so ids come out whole, one vector a text.
    A NUL at the very end of a text is lost on the way into OpenVINO.
    """

    def __init__(self, file: Path) -> None:
        model = _core().read_model(file)
        _end_at_the_ids(model)
        compiled = _core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()
        self.special_tokens = self._read_special_tokens()

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        result: list[Ids] = [np.empty(0, np.int64)] * len(texts)
        for batch in _batches(texts):
            for index, ids in zip(batch, self._infer([texts[i] for i in batch]), strict=True):
                result[index] = ids
        return result

    def _infer(self, texts: list[str]) -> list[Ids]:
        request = self._request
        with self._lock:
            request.set_input_tensor(ov.Tensor([*texts, _COMPANION]))
            # Not infer(): on one thread it can swallow an error and leave the last answer.
            request.start_async()
            request.wait()
            begins, ends, ids = (request.get_output_tensor(i).data.astype(int) for i in range(3))
        rows = zip([*texts, _COMPANION], begins.tolist(), ends.tolist(), strict=True)
        return [ids[begin:end] for _, begin, end in rows][:-1]

    def _read_special_tokens(self) -> SpecialTokens:
        empty, text = self._infer(["", "a"])
        same = empty == text[: len(empty)]
        split = len(empty) if same.all() else int(np.argmin(same))
        return SpecialTokens(prefix=empty[:split], suffix=empty[split:])


class CompiledDetokenizer:
    """openvino_detokenizer.xml. Safe for concurrent use."""

    def __init__(self, file: Path) -> None:
        self._request = _core().compile_model(file, "CPU").create_infer_request()
        self._lock = threading.Lock()

    def decode(self, ids: Sequence[int]) -> str:
        with self._lock:
            self._request.set_input_tensor(ov.Tensor(np.array([ids], np.int64)))
            self._request.start_async()
            self._request.wait()
            return str(self._request.get_output_tensor().str_data[0])


@cache
def _core() -> ov.Core:
    return new_core()


def _end_at_the_ids(model: ov.Model) -> None:
    """Make the ragged ids (begins, ends, ids: int32) the model's outputs.

    In place, because a new ov.Model of these nodes does not hold on to the library of their
    code and crashes the interpreter when it exits.
    """
    for node in model.get_ops():
        if node.get_type_name() == "Truncate":
            for i in range(3):
                node.output(i).replace(node.input_value(i))
    node = model.output("input_ids").get_node()
    while node.get_type_name() != "RaggedToDense":
        if node.get_input_size() == 0:
            raise ValueError("this OpenVINO tokenizer has no RaggedToDense before 'input_ids'")
        node = node.input_value(0).get_node()
    for sink in model.get_sinks():
        model.remove_sink(sink)
    for variable in model.get_variables():
        model.remove_variable(variable)
    for result in model.get_results():
        model.remove_result(result)
    model.add_outputs([node.input_value(i) for i in range(3)])


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Indices of texts, the short ones first, in batches that OpenVINO can take at once."""
    batch: list[int] = []
    for index in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        full = (len(batch) + 1) * len(texts[index]) > BATCH_CHARACTERS
        if batch and (full or len(batch) == BATCH_TEXTS):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch

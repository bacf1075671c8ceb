"""The way in: a front end's request becomes texts (or token ids) and the way to answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from calcgraph.calculators import kserve_dialect, openai_dialect, tokenize_dialect
from calcgraph.calculators.request_fields import check_fingerprint
from calcgraph.calculators.turn import read_turn
from calcgraph.calculators.values import Answer, TextInput
from calcgraph.proto.calculators_pb2 import HttpInputOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT
from calcgraph.runtime.payload import HttpRequest, InferRequest
from calcgraph.runtime.plan import NodePlan
from calcgraph.runtime.services import MODEL

_Reader = Callable[[HttpRequest, int], tuple[TextInput, Answer]]


def _refuse_rerank(request: HttpRequest, _: int) -> NoReturn:
    path = request.path.rstrip("/")
    raise RequestError(
        f"This model makes embeddings: it answers {path.rpartition('/')[0]}/embeddings, and not {path}.",
        param="model",
        reason="wrong_endpoint",
    )


# By the last word of the path; all others are embeddings, as in OVMS.
_READERS: Final[Mapping[str, _Reader]] = {
    "tokenize": tokenize_dialect.read_tokenize,
    "detokenize": tokenize_dialect.read_detokenize,
    "rerank": _refuse_rerank,
}


class HttpInput(Calculator):
    """Reads an OpenAI `embeddings` call, a `tokenize` or `detokenize` call, or an Open Inference
    Protocol call. Bad ones: RequestError."""

    inputs = {"REQUEST": HttpRequest | InferRequest}
    outputs = {"INPUT": TextInput, "ANSWER": object}
    options = HttpInputOptions
    light = True
    stateless = True

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(MODEL).optional()

    def open(self, cc: CalculatorContext) -> None:
        self.max_texts = cc.options.max_texts
        model = cc.service(MODEL)
        self.fingerprint: str = model.fingerprint if model is not None else ""

    def process(self, cc: CalculatorContext) -> None:
        request = cc.inputs["REQUEST"].value
        value: TextInput
        answer: Answer
        check_fingerprint(request, self.fingerprint)
        if isinstance(request, HttpRequest):
            read = _READERS.get(request.path.rstrip("/").rpartition("/")[2], openai_dialect.read)
            value, answer = read(request, self.max_texts)
            turn = read_turn(request.headers, request.body, request.terms)
        else:
            value, answer = kserve_dialect.read(request)
            turn = read_turn(request.headers, request.parameters, request.terms)
        if turn is not None:
            value = replace(value, turn=turn)
        cc.outputs["INPUT"].add(value)
        cc.outputs["ANSWER"].add(answer)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: Any, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        return {"inputs": kserve_dialect.INPUTS, FINGERPRINT: None}

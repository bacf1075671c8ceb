"""The reranker: from pairs of texts to the model's numbers, on OpenVINO.

One name, two forms. With PAIRS and LOGITS it is the inference node of a graph. With OpenVINO Model
Server's REQUEST_PAYLOAD and RESPONSE_PAYLOAD it stands for the whole graph of graphs/rerank.pbtxt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from calcgraph.calculators.embeddings_calculator_ov import plugin_config
from calcgraph.calculators.engine import EngineClosed
from calcgraph.calculators.engine.measurements import measurements
from calcgraph.calculators.rerank.scorer import ANY_TURN, Scorer
from calcgraph.calculators.rerank.single_node import rerank_graph
from calcgraph.calculators.rerank.values import Logits, Pairs
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.ovms_pb2 import RerankCalculatorOVOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT, digest_of
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.plan import GraphPlan, NodePlan
from calcgraph.runtime.subgraph import SubgraphContext
from calcgraph.runtime.terms import Terms


@dataclass(frozen=True, slots=True)
class _Loaded:
    scorer: Scorer
    digest: str


class RerankCalculatorOV(Calculator):
    """Runs the reranker. All graphs of a model share one engine, which packs their pairs together."""

    inputs = {"PAIRS": Pairs}
    outputs = {"LOGITS": Logits}
    options = RerankCalculatorOVOptions
    stateless = True

    @classmethod
    def expand(cls, context: SubgraphContext) -> CalculatorGraphConfig | None:
        if "REQUEST_PAYLOAD" not in context.inputs.tags:
            return None
        assert isinstance(context.options, RerankCalculatorOVOptions)
        return rerank_graph(context.options)

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        options = node.options
        assert isinstance(options, RerankCalculatorOVOptions)
        for name, elsewhere in _SAID_ELSEWHERE.items():
            if options.HasField(name):
                raise ValueError(
                    f"{name} is for the form of one node; here PairTokenizerOptions has {elsewhere}"
                )
        folder = node.base_path / options.models_path
        scorer = Scorer.open(
            folder,
            device=options.target_device,
            plugin_config=plugin_config(options.plugin_config),
            max_tokens=max_tokens(folder),
        )
        try:
            digest = digest_of(*(folder / f"openvino_model{suffix}" for suffix in (".xml", ".bin")))
        except BaseException:
            scorer.close()
            raise
        return _Loaded(scorer, digest)

    @classmethod
    def unload(cls, resource: _Loaded) -> None:
        resource.scorer.close()

    @classmethod
    def ready(cls, resource: _Loaded) -> bool:
        return resource.scorer.engine.ready

    @classmethod
    def admit(cls, resource: _Loaded, terms: Terms) -> None:
        resource.scorer.engine.admission.check_early(terms)

    @classmethod
    def measurements(cls, resource: _Loaded) -> Iterator[Measurement]:
        return measurements(resource.scorer.engine)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        info = resource.scorer.engine.info
        return {
            "device": info.device,
            "precision": info.precision,
            "inference_path": info.path,
            "inference_path_reason": info.why,
            "inference_shapes": [str(shape) for shape in info.shapes],
            "threads": info.threads,
            "streams": info.streams,
            FINGERPRINT: {"weights": resource.digest, "precision": info.precision},
        }

    def open(self, cc: CalculatorContext) -> None:
        self.scorer: Scorer = cc.resource.scorer

    async def process(self, cc: CalculatorContext) -> None:
        pairs: Pairs = cc.inputs["PAIRS"].value
        try:
            values = await self.scorer.score(pairs.sequences, pairs.turn or ANY_TURN)
        except EngineClosed as error:
            raise RequestError(
                "The model is being unloaded.", param="model", code=Code.UNAVAILABLE
            ) from error
        cc.outputs["LOGITS"].add(Logits(values, pairs.owners, self.scorer.activation))


_SAID_ELSEWHERE: Mapping[str, str] = {
    "max_allowed_chunks": "max_allowed_chunks",
    "max_position_embeddings": "max_length",
}

"""The encoder: from token ids to embeddings, on OpenVINO.

One name, two forms. With TOKENS and EMBEDDINGS it is the inference node of a graph. With OpenVINO Model
Server's REQUEST_PAYLOAD and RESPONSE_PAYLOAD it stands for the whole graph of graphs/embeddings.pbtxt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from calcgraph.calculators.canary import read_canary
from calcgraph.calculators.engine import BadTokenId, Engine, EngineClosed
from calcgraph.calculators.engine import Pooling as Method
from calcgraph.calculators.engine.measurements import measurements
from calcgraph.calculators.normalize import Normalize
from calcgraph.calculators.pooling import METHODS, Pooling, pooling_method
from calcgraph.calculators.single_node import embeddings_graph
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.calculators.tokenization.vocabulary import check_vocabulary
from calcgraph.calculators.values import Embeddings, Tokens, Turn
from calcgraph.proto.graph_pb2 import CalculatorGraphConfig
from calcgraph.proto.ovms_pb2 import EmbeddingsCalculatorOVOptions
from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.contract import Contract
from calcgraph.runtime.errors import Code, RequestError
from calcgraph.runtime.fingerprint import FINGERPRINT, digest_of
from calcgraph.runtime.measurement import Measurement
from calcgraph.runtime.plan import GraphPlan, NodePlan
from calcgraph.runtime.request_trace import REQUEST_TRACE, RequestTrace
from calcgraph.runtime.subgraph import SubgraphContext
from calcgraph.runtime.terms import Terms

_ANY_TURN: Final = Turn()


@dataclass(frozen=True, slots=True)
class _Loaded:
    engine: Engine
    digest: str


class EmbeddingsCalculatorOV(Calculator):
    """Runs the encoder. All graphs of a model share one engine, which packs their texts together."""

    inputs = {"TOKENS": Tokens}
    outputs = {"EMBEDDINGS": Embeddings}
    options = EmbeddingsCalculatorOVOptions
    stateless = True

    @classmethod
    def expand(cls, context: SubgraphContext) -> CalculatorGraphConfig | None:
        if "REQUEST_PAYLOAD" not in context.inputs.tags:
            return None
        assert isinstance(context.options, EmbeddingsCalculatorOVOptions)
        return embeddings_graph(context.options)

    @classmethod
    def contract(cls, contract: Contract) -> None:
        contract.use_service(REQUEST_TRACE).optional()

    @classmethod
    def load(cls, node: NodePlan, graph: GraphPlan) -> _Loaded:
        options = node.options
        assert isinstance(options, EmbeddingsCalculatorOVOptions)
        folder = node.base_path / options.models_path
        pooling, normalize = fused(node, graph)
        engine = Engine.open(
            folder,
            device=options.target_device,
            plugin_config=plugin_config(options.plugin_config),
            pooling=pooling,
            normalize=normalize,
            max_tokens=max_tokens(folder),
        )
        try:
            check_vocabulary(folder, engine.info.vocab_size)
            check_canary(folder, engine)
            digest = digest_of(*(folder / f"openvino_model{suffix}" for suffix in (".xml", ".bin")))
        except BaseException:
            engine.close()
            raise
        return _Loaded(engine, digest)

    @classmethod
    def unload(cls, resource: _Loaded) -> None:
        resource.engine.close()

    @classmethod
    def ready(cls, resource: _Loaded) -> bool:
        return resource.engine.ready

    @classmethod
    def admit(cls, resource: _Loaded, terms: Terms) -> None:
        resource.engine.admission.check_early(terms)

    @classmethod
    def measurements(cls, resource: _Loaded) -> Iterator[Measurement]:
        return measurements(resource.engine)

    @classmethod
    def describe(
        cls, node: NodePlan, resource: _Loaded, upstream: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        info = resource.engine.info
        return {
            "dimensions": info.dimensions,
            "device": info.device,
            "precision": info.precision,
            "inference_path": info.path,
            "inference_path_reason": info.why,
            "inference_shapes": [str(shape) for shape in info.shapes],
            "threads": info.threads,
            "streams": info.streams,
            "weight_bytes": info.weight_bytes,
            FINGERPRINT: {"weights": resource.digest, "precision": info.precision},
        }

    def open(self, cc: CalculatorContext) -> None:
        self.engine: Engine = cc.resource.engine
        trace: RequestTrace | None = cc.service(REQUEST_TRACE)
        self.batches = None if trace is None else trace.batches(cc.node_name)

    async def process(self, cc: CalculatorContext) -> None:
        tokens: Tokens = cc.inputs["TOKENS"].value
        if tokens.only:
            return
        turn = tokens.turn or _ANY_TURN
        try:
            result = await self.engine.submit_async(
                tokens.sequences,
                lane=turn.lane,
                client=turn.client,
                terms=turn.terms,
                batches=self.batches,
            )
        except BadTokenId as error:
            raise RequestError(
                f"token id {error.token_id} at position {error.position} of input[{error.index}] is outside "
                f"this model's vocabulary ({error.vocab_size}). Send text, or token ids made by this "
                "model's tokenizer; with langchain-openai set check_embedding_ctx_length=False",
                param="input",
            ) from error
        except EngineClosed as error:
            raise RequestError(
                "The model is being unloaded.", param="model", code=Code.UNAVAILABLE
            ) from error
        cc.outputs["EMBEDDINGS"].add(self._embeddings(result))

    def _embeddings(self, result: Any) -> Embeddings:
        info = self.engine.info
        if isinstance(result, np.ndarray):
            return Embeddings(vectors=result, pooling=info.pooling, normalized=info.normalize)
        return Embeddings(hidden=result)


def check_canary(folder: Path, engine: Engine) -> None:
    """Embed the model's canary texts, if it has any. Raises ValueError when they come out otherwise.

    They go in as token ids, so that no other node of the graph has a part in it.
    """
    canary = read_canary(folder)
    if canary is None:
        return
    texts = [i for i, ids in enumerate(canary.token_ids) if len(ids) <= engine.info.max_tokens]
    result = engine.submit([canary.token_ids[i] for i in texts]).result()
    pooling = engine.info.pooling or Method.MEAN
    if not isinstance(result, np.ndarray):
        result = np.stack([METHODS[pooling](hidden) for hidden in result])
    canary.check_vectors(result, pooling, engine.info.precision, texts)


def fused(node: NodePlan, graph: GraphPlan) -> tuple[Method | None, bool]:
    """What of the nodes behind the encoder the engine may do: the pooling, and normalizing after it.

    Only a chain that nobody else listens to is fused: another reader wants the values in between.
    """
    pooling = _only_reader(node, graph, Pooling)
    if pooling is None:
        return None, False
    normalize = _only_reader(pooling, graph, Normalize)
    return pooling_method(pooling.options), normalize is not None and normalize.options.enabled


def _only_reader(node: NodePlan, graph: GraphPlan, kind: type[Calculator]) -> Any:
    readers = list(graph.consumers(node, "EMBEDDINGS"))
    return readers[0] if len(readers) == 1 and readers[0].calculator is kind else None


def plugin_config(text: str) -> Mapping[str, str | int | float | bool]:
    """OpenVINO's properties, as the JSON object that `plugin_config` holds; empty is none."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f'plugin_config must be a JSON object like \'{{"NUM_STREAMS": "1"}}\', found {text!r}: {error}'
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"plugin_config must be a JSON object, found {text!r}")
    for key, setting in value.items():
        if not isinstance(setting, str | int | float | bool):
            raise ValueError(
                f"plugin_config: {key!r} must be a string, a number or a boolean, found {setting!r}"
            )
    return value

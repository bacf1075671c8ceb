"""A reranker, opened once a model and shared: one number for each pair of texts."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from calcgraph.calculators.engine import Engine, ModelUnreadable, ModelUnsuitable
from calcgraph.calculators.engine.core import new_core
from calcgraph.calculators.engine.model import MODEL_FILE, why_unreadable
from calcgraph.calculators.rerank.token_scores import Answers, token_scorer
from calcgraph.calculators.tokenization.model_files import read_json
from calcgraph.calculators.tokenization.pairs import TypedIds
from calcgraph.calculators.tokenization.reference import ReferenceTokenizer
from calcgraph.calculators.tokenization.tokenizer import REFERENCE_FILE
from calcgraph.calculators.values import Turn

Activation = Literal["SIGMOID", "IDENTITY"]
ANY_TURN: Final = Turn()

# The functions that cross-encoders are published with, by the last word of their name.
_ACTIVATIONS: Final[Mapping[str, Activation]] = {"Sigmoid": "SIGMOID", "Identity": "IDENTITY"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Use `score` from coroutines; close it."""

    engine: Engine
    activation: Activation
    """What sentence-transformers applies to the number."""
    typed: bool
    vocabulary: int | None

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        device: str = "CPU",
        plugin_config: Mapping[str, str | int | float | bool] | None = None,
        max_tokens: int | None = None,
    ) -> Self:
        """Read, rewrite and compile `folder`/openvino_model.xml. Raises what Engine.open raises."""
        core = new_core()
        path = folder / MODEL_FILE
        for file in (path, path.with_suffix(".bin")):
            if not file.is_file():
                raise ModelUnreadable(file, "there is no such file")
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelUnreadable(path, why_unreadable(path, error)) from error
        try:
            scorer = token_scorer(core, model, _answers(folder))
        except ModelUnsuitable as error:
            raise ModelUnsuitable(f"{path}: {error}") from error
        # The engine opens folders.
        with tempfile.TemporaryDirectory(
            prefix="calcgraph-reranker-", ignore_cleanup_errors=True
        ) as temporary:
            ov.save_model(scorer.model, Path(temporary) / MODEL_FILE, compress_to_fp16=False)
            try:
                engine = Engine.open(
                    Path(temporary),
                    pooling=scorer.read_at,
                    device=device,
                    plugin_config=plugin_config,
                    max_tokens=max_tokens,
                )
            except ModelUnsuitable as error:
                raise ModelUnsuitable(str(error).replace(temporary, str(folder))) from error
        return cls(engine, _activation(folder), scorer.typed, scorer.vocabulary)

    async def score(
        self, sequences: Sequence[TypedIds], turn: Turn = ANY_TURN
    ) -> NDArray[np.float32]:
        """The model's number for each sequence. Raises what Engine.submit_async raises."""
        result: Any = await self.engine.submit_async(
            self._rows(sequences), lane=turn.lane, client=turn.client, terms=turn.terms
        )
        numbers: NDArray[np.float32] = result[:, 0]
        return numbers

    def _rows(self, sequences: Sequence[TypedIds]) -> list[NDArray[np.int64]]:
        """What the engine takes for each sequence."""
        if not self.typed:
            return [sequence[0] for sequence in sequences]
        ids, types = np.concatenate(sequences, axis=1)
        if self.vocabulary is not None and int(ids.max()) >= self.vocabulary:
            raise ValueError(
                f"the tokenizer gives id {ids.max()}, the model has {self.vocabulary} words: "
                "they are not of one model"
            )
        ends = np.cumsum([sequence.shape[1] for sequence in sequences])
        return np.split(2 * ids + types, ends[:-1])

    def close(self) -> None:
        self.engine.close()


def _answers(folder: Path) -> Answers | None:
    """What a causal model says for relevant and not: as its modules say, else "yes" and "no"."""
    for config in sorted(folder.glob("*LogitScore/config.json")):
        settings = read_json(config)
        return Answers(int(settings["true_token_id"]), settings.get("false_token_id"))
    if not (folder / REFERENCE_FILE).is_file():
        return None
    tokenizer = ReferenceTokenizer(folder / REFERENCE_FILE)
    yes, no = tokenizer.token_id("yes"), tokenizer.token_id("no")
    return None if yes is None or no is None else Answers(yes, no)


def _activation(folder: Path) -> Activation:
    """CrossEncoder's rule: what the files name, else a sigmoid."""
    config = read_json(folder / "config.json")
    named = (
        read_json(folder / "config_sentence_transformers.json").get("activation_fn")
        or (config.get("sentence_transformers") or {}).get("activation_fn")
        or config.get("sbert_ce_default_activation_function")
        or "Sigmoid"
    )
    found = _ACTIVATIONS.get(str(named).rpartition(".")[2])
    if found is None:
        log.warning("%s: the activation %s is not known, a sigmoid is taken", folder, named)
    return found or "SIGMOID"

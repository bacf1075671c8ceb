"""Export one model: from its published folder to a folder of the model repository, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import openvino as ov

from calcgraph.calculators.canary import Canary, write_canary
from calcgraph.calculators.engine import Pooling
from calcgraph.calculators.tokenization.limits import max_tokens
from calcgraph.tools.canary import canary_of
from calcgraph.tools.cross_encoder import build_cross_encoder
from calcgraph.tools.dense import add_dense, read_dense
from calcgraph.tools.disk import require_room
from calcgraph.tools.encoder import build_encoder
from calcgraph.tools.encoder_config import is_cross_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.export import published_files
from calcgraph.tools.export.compress import Compression, compress, require_compressor
from calcgraph.tools.export.torch_ir import convert_with_torch
from calcgraph.tools.graph_template import Deployment, embeddings_graph, rerank_graph
from calcgraph.tools.manifest import fault, read_manifest, write_manifest
from calcgraph.tools.prepare import save_model
from calcgraph.tools.sentence_settings import (
    SentenceSettings,
    read_object,
    read_sentence_settings,
)
from calcgraph.tools.staging import staging
from calcgraph.tools.tokenizer_ir import convert_tokenizer

Task = Literal["embeddings", "rerank"]

# Of the published weights: the model in float32, and once more as it is served.
_ROOM = 2.5


@dataclass(frozen=True, slots=True)
class Export:
    """One model to export. `pooling` None is what the model's files say; `normalize` False overrules them."""

    task: Task
    source: Path
    published_as: str
    target: Path
    compression: Compression
    deployment: Deployment
    pooling: str | None = None
    normalize: bool = True


def export_model(export: Export, *, overwrite: bool = False) -> bool:
    """Make `export.target` a complete model folder; False when it was there already.

    Until it is complete, what was there stays. Raises PreparationError and OSError.
    """
    published_files.require_model(export.source)
    require_task(export)
    require_compressor(export.compression)
    if not overwrite and is_exported(export):
        return False
    with staging(export.target) as place:
        if not overwrite and is_exported(export):
            return False
        require_room(place.root, int(_ROOM * published_files.weight_bytes(export.source)))
        _fill(export, place.folder)
        place.publish()
    return True


def sentence_settings(export: Export) -> SentenceSettings:
    """How the model makes one vector of many, as the command and its files say.

    Raises PreparationError when neither says how it pools.
    """
    said = (export.source / "modules.json").is_file()
    if not said and export.pooling is None:
        raise PreparationError(
            f"{export.source} has no modules.json that says how the model pools: give --pooling CLS, LAST or MEAN, "
            "as it was trained"
        )
    found = read_sentence_settings(export.source)
    if said and export.pooling not in (None, found.pooling):
        print(f"note: --pooling {export.pooling} is taken; the model's files say {found.pooling}")
    return replace(
        found,
        pooling=export.pooling or found.pooling,
        # Where no file says, OVMS's export normalizes.
        normalize=export.normalize and (found.normalize or not said),
    )


def _fill(export: Export, folder: Path) -> None:
    published_files.copy_description(export.source, folder)
    if export.task == "rerank":
        graph = rerank_graph(_within_limit(export))
        model = _compressed(_converted(export, folder), export.compression)
        save_model(model, folder, export.compression.format)
    else:
        settings = sentence_settings(export)
        graph = embeddings_graph(settings, export.deployment)
        layers = read_dense(settings.dense, settings.pooling)
        model = add_dense(_converted(export, folder), layers)
        _save_with_canary(model, export.compression, folder, Pooling(settings.pooling))
    (folder / "graph.pbtxt").write_text(graph, "utf-8")
    _add_tokenizer(folder)
    for half in folder.glob("float32.*"):
        half.unlink()
    write_manifest(folder, export.published_as, export.compression.format)
    for name in ("openvino_model.bin", "tokenizer.json"):
        if (path := folder / name).is_file():
            print(f"  {name}: {path.stat().st_size / 1e6:,.1f} MB")


def _converted(export: Export, folder: Path) -> ov.Model:
    """The model in float32."""
    if published_files.is_built_without_torch(export.source):
        with _step("build the OpenVINO model from its weights"):
            build = build_encoder if export.task == "embeddings" else build_cross_encoder
            return build(export.source)
    with _step("convert the model with torch.export"):
        file = folder / "float32.xml"
        convert_with_torch(export.source, file, export.task)
        return ov.Core().read_model(file)


def _compressed(model: ov.Model, compression: Compression) -> ov.Model:
    with _step(f"store the weights as {compression.format}"):
        return compress(model, compression)


def _save_with_canary(
    model: ov.Model, compression: Compression, folder: Path, pooling: Pooling
) -> None:
    try:
        exact = canary_of(model, folder)
    except FileNotFoundError:
        # Without a tokenizer.json there is nothing to make texts into the right tokens.
        save_model(_compressed(model, compression), folder, compression.format)
        return
    except ValueError as error:
        raise PreparationError(str(error)) from error
    _require_fitting_tokenizer(exact, folder)
    served = _compressed(model, compression)
    save_model(served, folder, compression.format)
    if compression.format in ("int8", "int4"):
        stored = canary_of(served, folder)
        _tell_the_loss(exact, stored, pooling, compression)
    else:
        stored = exact
    write_canary(folder, stored)


def _require_fitting_tokenizer(canary: Canary, folder: Path) -> None:
    words = read_object(folder / "config.json").get("vocab_size")
    largest = max(int(ids.max()) for ids in canary.token_ids)
    # OpenVINO takes a token id that the model has no vector for, and returns some numbers.
    if isinstance(words, int) and largest >= words:
        raise PreparationError(
            f"the tokenizer gives id {largest} and the model knows the ids below {words}: their files are not of one model"
        )


def _tell_the_loss(exact: Canary, stored: Canary, pooling: Pooling, how: Compression) -> None:
    pairs = (exact.vectors[pooling], stored.vectors[pooling])
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in pairs)
    cosines = (one * other).sum(axis=1)
    print(
        f"  cosine of {how.format} with fp32: {cosines.mean():.4f} on average, {cosines.min():.4f} at least"
    )


def _add_tokenizer(folder: Path) -> None:
    with _step("convert the tokenizer"):
        reason = convert_tokenizer(folder)
    if reason is None:
        return
    if not (folder / "tokenizer.json").is_file():
        raise PreparationError(f"the model has no tokenizer.json, and {reason}")
    print(f"note: the server will use tokenizer.json, no openvino_tokenizer.xml was made: {reason}")


def _within_limit(export: Export) -> Deployment:
    """The longest document that is asked for, no longer than the model reads."""
    asked, limit = export.deployment.max_length, max_tokens(export.source)
    if asked is None or limit is None:
        return export.deployment
    return replace(export.deployment, max_length=min(asked, limit))


def require_task(export: Export) -> None:
    if export.task == "rerank" and not published_files.is_scorer(export.source):
        raise PreparationError(
            f"{export.source} is no reranker (its architecture is neither ...ForSequenceClassification nor "
            "...ForCausalLM): export it with embeddings_ov"
        )
    if export.task == "embeddings" and is_cross_encoder(export.source):
        raise PreparationError(
            f"{export.source} scores pairs of texts and has no embeddings: export it with rerank_ov"
        )


def is_exported(export: Export) -> bool:
    """Whether nothing is left to do. Raises PreparationError where going on would destroy another's work."""
    manifest = read_manifest(export.target)
    if manifest is None:
        if export.target.is_dir() and any(export.target.iterdir()):
            raise PreparationError(
                f"{export.target} is there and was not exported by this command: give --overwrite_models to "
                "replace it, or another --model_name"
            )
        return False
    made = (manifest.source, manifest.weight_format)
    if made != (export.published_as, export.compression.format):
        raise PreparationError(
            f"{export.target} holds {made[0]} as {made[1]}, asked for was {export.published_as} as "
            f"{export.compression.format}: give --overwrite_models to replace it, or another --model_name"
        )
    return fault(export.target, manifest) is None


@contextmanager
def _step(what: str) -> Iterator[None]:
    print(f"{what} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"  done in {time.monotonic() - started:.1f} s", flush=True)

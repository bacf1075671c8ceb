"""Make a folder that is served of a model whose graph is there already: OpenVINO's own format, or ONNX."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import openvino as ov

from calcgraph.calculators.engine.errors import ModelUnreadable, ModelUnsuitable
from calcgraph.calculators.engine.model import read_encoder
from calcgraph.calculators.tokenization.tokenizer import COMPILED_FILE, ModelTokenizer
from calcgraph.tools.canary import make_canary
from calcgraph.tools.dense import Dense, add_dense, read_dense
from calcgraph.tools.disk import require_room
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.export import published_files
from calcgraph.tools.export.compress import Compression, compress, require_compressor
from calcgraph.tools.export.export import Export, is_exported, require_task, sentence_settings
from calcgraph.tools.graph_template import embeddings_graph, rerank_graph
from calcgraph.tools.layout import IR, IR_FOLDER, Layout, names_in, weights_among
from calcgraph.tools.manifest import write_manifest
from calcgraph.tools.prepare import save_model
from calcgraph.tools.staging import staging
from calcgraph.tools.tokenizer_ir import convert_tokenizer

AS_PUBLISHED: Final = Compression("published")
"""The weights of an OpenVINO model stay what they are."""

_MODEL: Final = "openvino_model.xml"
_ROOM: Final = 1.2  # of the weights: a copy of them, and what lies beside


def adopt_model(export: Export, layout: Layout, *, overwrite: bool = False) -> bool:
    """Make `export.target` a complete model folder; False when it was there already.

    Until it is complete, what was there stays. Raises PreparationError and OSError.
    """
    export = replace(export, compression=_weights_as(export.compression, layout))
    require_task(export)
    if not overwrite and is_exported(export):
        return False
    with staging(export.target) as place:
        if not overwrite and is_exported(export):
            return False
        sizes = [
            (export.source / name).stat().st_size
            for name in weights_among(names_in(export.source), layout)
        ]
        require_room(place.root, int(_ROOM * sum(sizes)))
        _fill(export, layout, place.folder)
        place.publish()
    return True


def _weights_as(asked: Compression, layout: Layout) -> Compression:
    if layout not in (IR, IR_FOLDER):
        require_compressor(asked)
        return asked
    if asked.format not in ("fp32", AS_PUBLISHED.format):
        raise PreparationError(
            f"the model is published as OpenVINO IR, whose weights are not made {asked.format} any more: leave "
            "--weight-format out, or give the name of the model that it was made from"
        )
    return AS_PUBLISHED


def _fill(export: Export, layout: Layout, folder: Path) -> None:
    published_files.copy_description(export.source, folder)
    if layout in (IR, IR_FOLDER):
        _copy_ir(export.source / Path(layout.sign).parent, folder)
    else:
        model = _from_onnx(export.source / layout.sign)
        save_model(compress(model, export.compression), folder, export.compression.format)
    if not (folder / COMPILED_FILE).is_file():
        _add_tokenizer(folder)
    if export.task == "rerank":
        graph = rerank_graph(export.deployment)
        _read(folder / _MODEL)
    else:
        settings = sentence_settings(export)
        _add_dense(folder, read_dense(settings.dense, settings.pooling))
        graph = embeddings_graph(settings, export.deployment)
        _require_encoder(folder)
    (folder / "graph.pbtxt").write_text(graph, "utf-8")
    write_manifest(folder, export.published_as, export.compression.format)


def _copy_ir(source: Path, folder: Path) -> None:
    for pattern in IR.weights:
        for path in source.glob(pattern):
            shutil.copyfile(path, folder / path.name)
    if not (folder / _MODEL).with_suffix(".bin").is_file():
        raise PreparationError(
            f"{source} has no openvino_model.bin: it is not a whole model, fetch it again"
        )


def _from_onnx(path: Path) -> ov.Model:
    root = logging.root
    before = root.level, list(root.filters), list(root.handlers)
    try:
        return ov.convert_model(path)
    except Exception as error:  # OpenVINO's own kinds of errors are many and documented nowhere
        raise PreparationError(
            f"OpenVINO cannot convert {path} ({_last_line(error)}): export the model with `calcgraph export`"
        ) from error
    finally:
        # OpenVINO silences all warnings of the process while it converts, and for good where that fails.
        level, root.filters, root.handlers = before
        root.setLevel(level)


def _read(path: Path) -> ov.Model:
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise PreparationError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    return (
        f"OpenVINO {ov.get_version().split('-')[0]} cannot read {path.name} of the model ({_last_line(error)}): it is "
        "damaged, or was made by a newer OpenVINO (pip install --upgrade openvino openvino-tokenizers)"
    )


def _add_dense(folder: Path, layers: list[Dense]) -> None:
    if layers:
        model = add_dense(_read(folder / _MODEL), layers)
        draft = folder / "with_dense.xml"
        ov.save_model(model, draft, compress_to_fp16=False)
        del model
        for suffix in (".xml", ".bin"):
            draft.with_suffix(suffix).replace((folder / _MODEL).with_suffix(suffix))


def _add_tokenizer(folder: Path) -> None:
    reason = convert_tokenizer(folder)
    if reason is None:
        return
    if not (folder / "tokenizer.json").is_file():
        raise PreparationError(f"the model has no tokenizer.json, and {reason}")
    print(f"note: the server will use tokenizer.json, no {COMPILED_FILE} was made: {reason}")


def _require_encoder(folder: Path) -> None:
    """Read the model as the server will, and note what it makes of a few texts."""
    try:
        encoder = read_encoder(ov.Core(), folder)
        tokens = ModelTokenizer.open(folder).vocab_size
        rows = encoder.vocab_size
        if tokens is not None and rows is not None and tokens > rows:
            raise PreparationError(
                f"tokenizer.json lists {tokens:,} tokens and the model has vectors for {rows:,}: the tokenizer is "
                "another model's, fetch both again"
            )
        if (folder / "tokenizer.json").is_file():
            make_canary(encoder.model, folder)
    except ModelUnreadable as error:
        raise PreparationError(_unreadable(folder / _MODEL, error)) from error
    except (ModelUnsuitable, ValueError, FileNotFoundError) as error:
        raise PreparationError(f"{error}") from error


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()

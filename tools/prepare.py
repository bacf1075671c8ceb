"""From a folder that sentence-transformers reads to a folder that the server serves."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from calcgraph.tools.encoder_config import is_cross_encoder
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.graph_template import embeddings_graph, rerank_graph
from calcgraph.tools.sentence_settings import read_sentence_settings
from calcgraph.tools.tokenizer_ir import convert_tokenizer

WEIGHT_FORMATS = ("fp32", "fp16")


def prepare(folder: Path, weight_format: str = "fp32") -> list[str]:
    """Add the OpenVINO model and tokenizer and graph.pbtxt; model.safetensors is then no longer needed.

    Returns what could not be done and is not needed, one sentence each. Raises PreparationError.
    """
    if is_cross_encoder(folder):
        save_cross_encoder(folder, weight_format)
        graph = rerank_graph()
    else:
        settings = read_sentence_settings(folder)
        save_encoder(folder, weight_format)
        save_canary(folder)
        graph = embeddings_graph(settings)
    (folder / "graph.pbtxt").write_text(graph, "utf-8")
    reason = convert_tokenizer(folder)
    if reason is None:
        return []
    return [f"no openvino_tokenizer.xml was made, the server will use tokenizer.json: {reason}"]


def save_canary(folder: Path) -> None:
    """Write canary.npz, by which the server sees at load that the model is what it was."""
    from calcgraph.tools.canary import make_canary

    # A tokenizer that cannot be read is what `convert_tokenizer` tells of.
    with suppress(FileNotFoundError, ValueError):
        make_canary(_sentence_encoder(folder), folder)


def save_encoder(folder: Path, weight_format: str) -> None:
    """Write openvino_model.xml and .bin beside model.safetensors. Raises PreparationError."""
    save_model(_sentence_encoder(folder), folder, weight_format)


def save_cross_encoder(folder: Path, weight_format: str) -> None:
    """The same for a model that scores pairs. Raises PreparationError."""
    from calcgraph.tools.cross_encoder import build_cross_encoder

    save_model(build_cross_encoder(folder), folder, weight_format)


def save_model(model: Any, folder: Path, weight_format: str) -> None:
    """Write an ov.Model as the folder's openvino_model.xml and .bin. Raises PreparationError."""
    import openvino as ov

    path = folder / "openvino_model.xml"
    try:
        ov.save_model(model, path, compress_to_fp16=weight_format == "fp16")
        # It does not notice a full disk; a model that is cut short cannot be read.
        ov.Core().read_model(path)
    except RuntimeError as error:
        raise PreparationError(
            f"OpenVINO cannot write {path}: free some disk space and run it again "
            f"(it says: {str(error).strip().splitlines()[-1]})"
        ) from error


def _sentence_encoder(folder: Path) -> Any:
    # OpenVINO takes a second to import, and a pull with nothing to do should not wait for it.
    from calcgraph.tools.dense import add_dense, read_dense
    from calcgraph.tools.encoder import build_encoder

    settings = read_sentence_settings(folder)
    layers = read_dense(settings.dense, settings.pooling)
    return add_dense(build_encoder(folder), layers)

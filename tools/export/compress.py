"""How the weights of a model are stored: fp32, fp16, and int8 or int4 by NNCF, which needs no torch for it."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import shlex
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any, NoReturn

import openvino as ov

from calcgraph.tools.errors import PreparationError

EXTRA = "pip install 'calcgraph[compress]'"
FORMATS = ("fp32", "fp16", "int8", "int4")
# What optimum-cli knows and what has no part in our way of converting.
_IRRELEVANT = ("--library", "--task", "--framework")
_INT4_GROUP = 128
_INT4_RATIO = 1.0


@dataclass(frozen=True, slots=True)
class Compression:
    """A weight format, and what int8 and int4 leave open. `ratio` of the layers are int4, the rest int8."""

    format: str
    symmetric: bool = False
    group_size: int | None = None
    ratio: float | None = None
    all_layers: bool = False


def read_compression(weight_format: str, extra: str) -> Compression:
    """The format with optimum-cli's parameters for it. Raises PreparationError for one that is not known."""
    parser = _Parameters(prog="--extra_quantization_params", add_help=False, allow_abbrev=False)
    parser.add_argument("--sym", action="store_true")
    parser.add_argument("--group_size", "--group-size", type=int)
    parser.add_argument("--ratio", type=float)
    parser.add_argument("--all_layers", "--all-layers", action="store_true")
    for name in _IRRELEVANT:
        parser.add_argument(name)
    found, unknown = parser.parse_known_args(shlex.split(extra))
    if unknown:
        parser.error(
            f"{unknown[0]} is not supported; supported are --sym, --group-size, --ratio and --all-layers"
        )
    compression = Compression(
        weight_format, found.sym, found.group_size, found.ratio, found.all_layers
    )
    if weight_format != "int4":
        given = (found.group_size, found.ratio, found.all_layers or None)
        if any(value is not None for value in given):
            parser.error("--group-size, --ratio and --all-layers are for --weight-format int4")
    if found.sym and weight_format not in ("int8", "int4"):
        parser.error("--sym is for --weight-format int8 and int4")
    return compression


class _Parameters(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PreparationError(f"{self.prog}: {message}")


def require_compressor(compression: Compression) -> None:
    """Raises PreparationError when the format takes NNCF and it is not installed."""
    takes_it = compression.format in ("int8", "int4")
    if takes_it and importlib.util.find_spec("nncf") is None:
        raise PreparationError(
            f"--weight-format {compression.format} takes nncf, which is not installed: {EXTRA}; "
            "or choose --weight-format fp32 or fp16"
        )


def compress(model: ov.Model, compression: Compression) -> ov.Model:
    """The model with int8 or int4 weights. fp32 and fp16 are a matter of saving, and nothing is done here.

    Raises PreparationError when NNCF cannot do it.
    """
    if compression.format not in ("int8", "int4"):
        return model
    import nncf

    nncf.set_log_level(logging.ERROR)
    try:
        # It draws tables and bars.
        with redirect_stdout(StringIO()):
            compressed: ov.Model = nncf.compress_weights(model, **_arguments(compression))
    except Exception as error:
        raise PreparationError(
            f"NNCF cannot make the weights {compression.format}: {str(error).strip().splitlines()[0]}"
        ) from error
    return compressed


def _arguments(compression: Compression) -> dict[str, Any]:
    from nncf import (
        AdvancedCompressionParameters,
        CompressWeightsMode,
        GroupSizeFallbackMode,
    )

    kind = "SYM" if compression.symmetric else "ASYM"
    mode = CompressWeightsMode[f"{compression.format.upper()}_{kind}"]
    if compression.format == "int8":
        return {"mode": mode}
    return {
        "mode": mode,
        "group_size": compression.group_size or _INT4_GROUP,
        "ratio": compression.ratio if compression.ratio is not None else _INT4_RATIO,
        "all_layers": compression.all_layers or None,
        # Small models have layers that are no multiple of 128 wide.
        "advanced_parameters": AdvancedCompressionParameters(
            group_size_fallback_mode=GroupSizeFallbackMode.ADJUST
        ),
    }

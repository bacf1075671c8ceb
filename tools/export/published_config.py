"""From a config.json that was written for its authors' own code to the one transformers reads.

Alibaba's GTE (`model_type` new) and Nomic's BERT were published with Python files in their folders. transformers has
both architectures by now, under these and their weights' names, but not under all names of their settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calcgraph.tools.errors import PreparationError

Config = Mapping[str, Any]

_NOMIC = {
    "n_embd": "hidden_size",
    "n_head": "num_attention_heads",
    "n_layer": "num_hidden_layers",
    "n_inner": "intermediate_size",
    "n_positions": "max_position_embeddings",
    "layer_norm_epsilon": "layer_norm_eps",
}
# What the authors' code can and transformers' cannot, with the only value that both have.
_NOMIC_FIXED = {
    "activation_function": ("swiglu",),
    "rotary_emb_fraction": (1, 1.0),
    "rotary_emb_interleaved": (False,),
    "prenorm": (False,),
    "qkv_proj_bias": (False,),
    "use_rms_norm": (False,),
    "rotary_scaling_factor": (None,),
}
_GTE_FIXED = {
    "position_embedding_type": ("rope",),
    "logn_attention_scale": (False,),
    "layer_norm_type": ("layer_norm",),
}


def native_config(config: Config) -> dict[str, Any]:
    """The settings as transformers' own class for the architecture takes them.

    Raises PreparationError for one that only the authors' code knows.
    """
    translate = _TRANSLATIONS.get(str(config.get("model_type")), dict)
    native = translate(config)
    native.pop("auto_map", None)
    return native


def _gte(config: Config) -> dict[str, Any]:
    _require(config, _GTE_FIXED)
    native = {key: value for key, value in config.items() if key not in _GTE_FIXED}
    native["model_type"] = "gte"
    theta = float(native.pop("rope_theta", 10_000.0))
    scaling = native.pop("rope_scaling", None)
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": theta}
    if scaling:
        if scaling.get("type") != "ntk" or scaling.get("mixed_b") is not None:
            raise PreparationError(f"config.json: rope_scaling is {scaling}; supported is ntk")
        # NTK: the base times the factor, every frequency divided by factor ** (2 / width of a head).
        factor = float(scaling["factor"])
        width = config["hidden_size"] // config["num_attention_heads"]
        rope = {
            "rope_type": "linear",
            "rope_theta": theta * factor,
            "factor": factor ** (2 / width),
        }
    return native | {"rope_parameters": rope}


def _nomic(config: Config) -> dict[str, Any]:
    _require(config, _NOMIC_FIXED)
    kept = {key: value for key, value in config.items() if key not in _NOMIC_FIXED}
    native = {_NOMIC.get(key, key): value for key, value in kept.items()}
    if "rotary_emb_base" in native:
        theta = float(native.pop("rotary_emb_base"))
        native["rope_parameters"] = {"rope_type": "default", "rope_theta": theta}
    return native


def _require(config: Config, fixed: Mapping[str, tuple[Any, ...]]) -> None:
    for key, supported in fixed.items():
        if key in config and config[key] not in supported:
            raise PreparationError(
                f"config.json: {key} is {config[key]!r}; supported is {supported[0]!r}"
            )


_TRANSLATIONS: Mapping[str, Callable[[Config], dict[str, Any]]] = {
    "new": _gte,
    "nomic_bert": _nomic,
}

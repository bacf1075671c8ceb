"""config.json files as their authors wrote them, read as transformers does it."""

from typing import Any

import pytest

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.export.published_config import native_config

# What gte-large-en-v1.5 says, as far as it matters here.
GTE = {
    "model_type": "new",
    "auto_map": {"AutoModel": "configuration.NewModel"},
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "position_embedding_type": "rope",
    "rope_theta": 160000,
    "rope_scaling": {"type": "ntk", "factor": 2.0},
    "logn_attention_scale": False,
}
NOMIC = {
    "model_type": "nomic_bert",
    "auto_map": {"AutoModel": "modeling.NomicBertModel"},
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_inner": 3072,
    "n_positions": 8192,
    "rotary_emb_base": 1000,
    "rotary_emb_fraction": 1.0,
    "activation_function": "swiglu",
}


def frequencies(config: dict[str, Any]) -> list[float]:
    """Of a rotary embedding, as transformers computes them for the types we write."""
    rope = config["rope_parameters"]
    width = config["hidden_size"] // config["num_attention_heads"]
    return [rope["rope_theta"] ** (-i / width) / rope.get("factor", 1) for i in range(0, width, 2)]


def test_gtes_scaled_rotary_embedding_has_its_authors_frequencies() -> None:
    native = native_config(GTE)
    assert (native["model_type"], "auto_map" in native) == ("gte", False)
    base, factor, width = 160000 * 2.0, 2.0, 64
    wanted = [base ** (-i / width) / factor ** (2 / width) for i in range(0, width, 2)]
    assert frequencies(native) == pytest.approx(wanted, rel=1e-12)


def test_gte_without_scaling_has_plain_frequencies() -> None:
    native = native_config(GTE | {"rope_scaling": None})
    assert native["rope_parameters"] == {"rope_type": "default", "rope_theta": 160000.0}


def test_nomics_names_become_transformers_own() -> None:
    native = native_config(NOMIC)
    assert native == {
        "model_type": "nomic_bert",
        "hidden_size": 768,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "intermediate_size": 3072,
        "max_position_embeddings": 8192,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0},
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            GTE | {"position_embedding_type": "absolute"},
            "position_embedding_type is 'absolute'; sup",
        ),
        (GTE | {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "supported is ntk"),
        (
            NOMIC | {"activation_function": "gelu"},
            "activation_function is 'gelu'; supported is 'swi",
        ),
        (NOMIC | {"prenorm": True}, "prenorm is True; supported is False"),
    ],
)
def test_what_only_the_authors_code_can_is_refused(config: Any, message: str) -> None:
    with pytest.raises(PreparationError, match=message):
        native_config(config)


def test_a_config_of_transformers_own_stays_as_it_is() -> None:
    config = {"model_type": "qwen3", "hidden_size": 64, "rope_theta": 1e6}
    assert native_config(config) == config

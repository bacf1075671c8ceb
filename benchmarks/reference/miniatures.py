"""Encoders small enough for git: every size is tiny, every weight random, every answer torch's.

Each folder has config.json, model.safetensors and expected.npz with the inputs of one padded batch and its
`last_hidden_state`. Among them the three stores of weights (float32, float16, bfloat16), names with
and without the body's prefix, and both forms of GELU. The BERT is a whole sentence-transformers
folder with a tokenizer, for the tests of `calcgraph pull`.
"""

from __future__ import annotations

import json
import string
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaModel,
)

_SIZES = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
_LENGTHS = (12, 7, 1)


def write_miniatures(folder: Path) -> None:
    torch.manual_seed(20)
    bert = BertModel(BertConfig(**_SIZES, max_position_embeddings=64), add_pooling_layer=True)
    roberta = RobertaForMaskedLM(
        RobertaConfig(**_SIZES, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1)
    )
    xlm_roberta = XLMRobertaModel(
        XLMRobertaConfig(
            **_SIZES,
            max_position_embeddings=66,
            type_vocab_size=1,
            pad_token_id=1,
            hidden_act="gelu_new",
        ),
        add_pooling_layer=False,
    )
    _write(folder / "bert", bert, bert, torch.float16)
    _write(folder / "roberta", roberta, roberta.roberta, torch.float32)
    _write(folder / "xlm-roberta", xlm_roberta, xlm_roberta, torch.bfloat16)
    _write_sentence_transformers_files(folder / "bert")


def _write(
    folder: Path, whole: PreTrainedModel, body: PreTrainedModel, stored_as: torch.dtype
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole.eval()
    with torch.no_grad():
        for weight in whole.parameters():
            # Far from the usual 0.02, so that a wrong mask or position changes the answer visibly.
            weight.copy_(torch.randn_like(weight) * 0.2).copy_(weight.to(stored_as))
    body.config.architectures = [type(whole).__name__]
    (folder / "config.json").write_text(json.dumps(body.config.to_diff_dict(), indent=2) + "\n")
    tensors = {name: weight.to(stored_as).contiguous() for name, weight in whole.named_parameters()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    inputs = _padded_batch(body.config.pad_token_id, body.config.type_vocab_size)
    answer = body(**inputs).last_hidden_state
    arrays = {name: value.numpy() for name, value in inputs.items()}
    np.savez_compressed(folder / "expected.npz", **arrays, last_hidden_state=answer.numpy())


def _padded_batch(padding: int, token_types: int) -> dict[str, torch.Tensor]:
    shape = (len(_LENGTHS), max(_LENGTHS))
    real = torch.arange(shape[1]) < torch.tensor(_LENGTHS)[:, None]
    ids = torch.randint(5, _SIZES["vocab_size"], shape).where(real, torch.tensor(padding))
    inputs = {"input_ids": ids, "attention_mask": real.long()}
    if token_types > 1:
        inputs["token_type_ids"] = torch.randint(0, token_types, shape)
    return inputs


def _write_sentence_transformers_files(folder: Path) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = [*special, *characters, *(f"##{c}" for c in characters if c.isalnum())]
    words = ["the", "cat", "dog", "sat", "on", "mat", "##ing", "##ed", "hello", "world"]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*pieces, *words]) + "\n")
    tokenizer = BertTokenizer(str(vocabulary), do_lower_case=True, model_max_length=64)
    tokenizer.save_pretrained(folder)
    modules = ["Transformer", "Pooling", "Normalize"]
    documents = {
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(
                zip(modules, ("", "1_Pooling", "2_Normalize"), strict=True)
            )
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": 32,
            "pooling_mode_cls_token": True,
            "pooling_mode_mean_tokens": False,
        },
        "sentence_bert_config.json": {"max_seq_length": 48, "do_lower_case": False},
    }
    for name, document in documents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n")

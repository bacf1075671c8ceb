"""A miniature of every model family: its real architecture and kind of tokenizer, random weights, torch's answers.

    python benchmarks/families/miniatures.py FOLDER

Writes FOLDER/<family>/ as sentence-transformers stores a model, and in it expected.npz: `texts`, and the `vectors`
float32 [texts, D] that SentenceTransformer.encode gives (`prompted`: with the prompt "query", where there is one),
or the `scores` float32 [texts] of CrossEncoder.predict for the one query `query`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    Transformer,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    T5EncoderModel,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
import rerankers
from texts import TEXTS

READS = 128
SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}
GROUPED = {"num_key_value_heads": 2, "head_dim": 16}
ROBERTA = {"max_position_embeddings": READS + 2, "pad_token_id": 1, "type_vocab_size": 1}
MODERNBERT = {
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
    "local_attention": 16,
    "global_attn_every_n_layers": 2,
}
QWEN3 = {"pad_token_id": 0, "eos_token_id": 0, "bos_token_id": 0, "use_cache": False, **GROUPED}
GEMMA = {
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
    "query_pre_attn_scalar": 16,
    "sliding_window": 33,
    "use_bidirectional_attention": True,
    "layer_types": ["sliding_attention", "full_attention"],
    "use_cache": False,
    **GROUPED,
}
T5 = {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4}


@dataclass(frozen=True)
class Family:
    """`widths` are of the Dense layers behind the pooling; a reranker has no pooling."""

    model_type: str
    tokenizer: Callable[[], Any]
    pooling: str | None
    config: Mapping[str, Any]
    kind: Any = AutoModel
    widths: tuple[int, ...] = ()
    normalize: bool = True
    prompts: Mapping[str, str] | None = None
    as_published: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """The config.json of its authors, for their own code; the names of the weights are theirs in any case."""


def published_gte(config: dict[str, Any]) -> dict[str, Any]:
    theta = config.pop("rope_parameters")["rope_theta"]
    return config | {
        "model_type": "new",
        "architectures": ["NewModel"],
        "auto_map": {"AutoModel": "modeling.NewModel"},
        "rope_theta": theta,
        "rope_scaling": None,
        "position_embedding_type": "rope",
        "layer_norm_type": "layer_norm",
        "logn_attention_scale": False,
    }


def published_nomic(config: dict[str, Any]) -> dict[str, Any]:
    theta = config.pop("rope_parameters")["rope_theta"]
    theirs = {
        "hidden_size": "n_embd",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
        "intermediate_size": "n_inner",
        "max_position_embeddings": "n_positions",
        "layer_norm_eps": "layer_norm_epsilon",
    }
    renamed = {theirs.get(key, key): value for key, value in config.items() if key != "head_dim"}
    return renamed | {
        "auto_map": {"AutoModel": "modeling.NomicBertModel"},
        "activation_function": "swiglu",
        "rotary_emb_base": theta,
        "rotary_emb_fraction": 1.0,
        "prenorm": False,
    }


def text_only(make: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: with_inputs(make(), "input_ids", "attention_mask")


def with_inputs(tokenizer: Any, *names: str) -> Any:
    tokenizer.model_input_names = list(names)
    return tokenizer


def mpnet_words() -> PreTrainedTokenizerFast:
    """WordPiece as BERT's, between RoBERTa's special tokens."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    bert = rerankers.word_piece().backend_tokenizer
    tokenizer.normalizer, tokenizer.pre_tokenizer = bert.normalizer, bert.pre_tokenizer
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer.train_from_iterator(
        rerankers.CORPUS, trainers.WordPieceTrainer(vocab_size=320, special_tokens=special)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.decoder = decoders.WordPiece()
    names = rerankers.roberta_names() | {"unk_token": "[UNK]"}
    return rerankers.fast(tokenizer, READS, ["input_ids", "attention_mask"], **names)


def embedding_chat(side: str) -> PreTrainedTokenizerFast:
    """Qwen3-Embedding's: an end of text behind each text, and padding on one side or the other."""
    tokenizer = rerankers.chat()
    backend = tokenizer.backend_tokenizer
    backend.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="$A <|endoftext|>",
                pair="$A:0 $B:1 <|endoftext|>:1",
                special_tokens=[("<|endoftext|>", 0)],
            ),
        ]
    )
    made = rerankers.fast(
        backend,
        READS,
        ["input_ids", "attention_mask"],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    made.padding_side = side
    return made


def byte_fallback() -> PreTrainedTokenizerFast:
    """Gemma's: BPE over words with a visible space, bytes for what it does not know."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = rerankers.normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{i:02X}>" for i in range(256))]
    tokenizer.train_from_iterator(
        rerankers.CORPUS, trainers.BpeTrainer(vocab_size=700, special_tokens=special)
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>",
        pair="<bos> $A <eos> <bos> $B <eos>",
        special_tokens=[("<bos>", 2), ("<eos>", 1)],
    )
    names = {
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    return rerankers.fast(tokenizer, READS, ["input_ids", "attention_mask"], **names)


def t5_pieces() -> PreTrainedTokenizerFast:
    """T5's: Unigram, and an end of text only."""
    backend = rerankers.unigram().backend_tokenizer
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    names = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return rerankers.fast(backend, READS, ["input_ids", "attention_mask"], **names)


EMBEDDERS: Mapping[str, Family] = {
    "bert": Family(
        "bert", rerankers.word_piece, "cls", {"max_position_embeddings": READS, **SIZES}
    ),
    "bert-mean": Family(
        "bert", rerankers.word_piece, "mean", {"max_position_embeddings": READS, **SIZES}
    ),
    # multilingual-e5-small is a BERT with the tokenizer of XLM-R.
    "bert-unigram": Family(
        "bert",
        text_only(rerankers.unigram),
        "mean",
        {"max_position_embeddings": READS, "pad_token_id": 0, **SIZES},
    ),
    "distilbert": Family(
        "distilbert",
        text_only(rerankers.word_piece),
        "mean",
        {
            "dim": 64,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 128,
            "max_position_embeddings": READS,
        },
    ),
    "roberta": Family("roberta", rerankers.byte_level, "mean", {**ROBERTA, **SIZES}),
    "xlm-roberta": Family("xlm-roberta", rerankers.unigram, "mean", {**ROBERTA, **SIZES}),
    "mpnet": Family("mpnet", mpnet_words, "mean", {**ROBERTA, **SIZES}),
    "nomic_bert": Family(
        "nomic_bert",
        rerankers.word_piece,
        "mean",
        {"max_position_embeddings": 256, **SIZES},
        as_published=published_nomic,
    ),
    "gte": Family(
        "gte",
        text_only(rerankers.word_piece),
        "cls",
        {"max_position_embeddings": 256, "type_vocab_size": 2, "pad_token_id": 0, **SIZES},
        normalize=False,
        as_published=published_gte,
    ),
    "modernbert": Family(
        "modernbert",
        text_only(rerankers.byte_level),
        "cls",
        {"max_position_embeddings": 256, **MODERNBERT, **SIZES},
    ),
    "qwen3": Family(
        "qwen3",
        lambda: embedding_chat("left"),
        "lasttoken",
        {"max_position_embeddings": 256, **QWEN3, **SIZES},
        prompts={"query": "Instruct: find what answers it\nQuery:", "document": ""},
    ),
    "qwen3-right": Family(
        "qwen3",
        lambda: embedding_chat("right"),
        "lasttoken",
        {"max_position_embeddings": 256, **QWEN3, **SIZES},
    ),
    "gemma3_text": Family(
        "gemma3_text",
        byte_fallback,
        "mean",
        {"max_position_embeddings": 256, **GEMMA, **SIZES},
        widths=(128, 64),
        prompts={"query": "task: search result | query: ", "document": "title: none | text: "},
    ),
    "t5": Family("t5", t5_pieces, "mean", T5, kind=T5EncoderModel, widths=(48,)),
}
RERANKERS: Mapping[str, Family] = {
    "bert-reranker": Family(
        "bert",
        rerankers.word_piece,
        None,
        {"max_position_embeddings": READS, "num_labels": 1, **SIZES},
        AutoModelForSequenceClassification,
    ),
    "xlm-roberta-reranker": Family(
        "xlm-roberta",
        rerankers.unigram,
        None,
        {"num_labels": 1, **ROBERTA, **SIZES},
        AutoModelForSequenceClassification,
    ),
    "modernbert-reranker": Family(
        "modernbert",
        text_only(rerankers.byte_level),
        None,
        {"max_position_embeddings": 256, "num_labels": 1, **MODERNBERT, **SIZES},
        AutoModelForSequenceClassification,
    ),
    "qwen3-reranker": Family(
        "qwen3",
        rerankers.chat,
        None,
        {"max_position_embeddings": 512, "tie_word_embeddings": True, **QWEN3, **SIZES},
        AutoModelForCausalLM,
    ),
}
QUERY = rerankers.QUERIES[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.set_grad_enabled(False)
    for name, family in (EMBEDDERS | RERANKERS).items():
        torch.manual_seed(7)
        write(family, folder / name)
        print(name, flush=True)


def write(family: Family, folder: Path) -> None:
    tokenizer = family.tokenizer()
    config = AutoConfig.for_model(family.model_type, vocab_size=len(tokenizer) + 8, **family.config)
    model = (
        family.kind(config)
        if family.kind is T5EncoderModel
        else family.kind.from_config(config, dtype=torch.float32)
    )
    randomize(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    expected = scores(folder) if family.pooling is None else vectors(family, folder)
    np.savez(folder / "expected.npz", **expected)
    if family.as_published is not None:
        path = folder / "config.json"
        path.write_text(json.dumps(family.as_published(json.loads(path.read_text())), indent=2))


def randomize(model: nn.Module) -> None:
    for weight in model.parameters():
        # Far from the usual 0.02, so that a wrong mask or position changes the answer visibly.
        noise = torch.randn_like(weight)
        weight.copy_(noise * 0.15 if weight.dim() > 1 else weight + noise * 0.1)


def vectors(family: Family, folder: Path) -> dict[str, np.ndarray]:
    """Make the folder a sentence-transformers model; what it makes of the texts."""
    transformer = Transformer(str(folder), max_seq_length=READS)
    width = transformer.get_embedding_dimension()
    modules: list[nn.Module] = [transformer, Pooling(width, pooling_mode=family.pooling)]
    for wide in family.widths:
        dense = Dense(width, wide, bias=False, activation_function=nn.Identity())
        randomize(dense)
        modules.append(dense)
        width = wide
    if family.normalize:
        modules.append(Normalize())
    prompts = dict(family.prompts or {})
    made = SentenceTransformer(modules=modules, device="cpu", prompts=prompts)
    made.save(str(folder), create_model_card=False)
    reread = SentenceTransformer(str(folder), device="cpu")
    # One text at a time, so that no vector depends on its neighbours' padding.
    found = np.asarray(reread.encode(list(TEXTS), batch_size=1), np.float32)
    assert np.isfinite(found).all()
    expected = {"texts": np.array(TEXTS), "vectors": found}
    if prompts:
        asked = reread.encode(list(TEXTS), prompt_name="query", batch_size=1)
        expected["prompted"] = np.asarray(asked, np.float32)
    return expected


def scores(folder: Path) -> dict[str, np.ndarray]:
    encoder = CrossEncoder(str(folder), device="cpu")
    texts = [text for text in rerankers.DOCUMENTS if len(text) < 200]
    pairs = [(QUERY, text) for text in texts]
    found = np.asarray(encoder.predict(pairs, batch_size=1), np.float32)
    return {"texts": np.array(texts), "scores": found, "query": np.array(QUERY)}


if __name__ == "__main__":
    main()

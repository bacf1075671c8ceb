"""Rerankers small enough for git, and the scores that sentence-transformers' CrossEncoder gives them.

    build/reference/bin/python benchmarks/reference/rerankers.py

Writes tests/data/rerankers/<family>/: config.json, tokenizer files and expected.json, with random weights
as model.safetensors (what our own builder reads) or as openvino_model.xml (exported by torch, for the
families that it does not build). Of each query expected.json has the documents, the `scores` that
CrossEncoder.predict gives, the `logits` before its activation, and the `tokens` of each pair. Some
documents are longer than the model reads: there CrossEncoder cuts, as its tokenizer does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from sentence_transformers import CrossEncoder
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3ForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

DATA = Path(__file__).parents[2] / "tests" / "data" / "rerankers"

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
WIDE = {"intermediate_size": 64}
PIECES = 320
READS = 96

DOCUMENTS = (
    "The ferry to the islands leaves at seven in the morning.",
    "Tickets are sold on board, or at the harbour office until noon.",
    "seven",
    "",
    "A cat sat on the mat.",
    "Où est passée la forêt ? « Là-bas », dit-il… naïvement, żółć",
    "今天天气很好，我们去公园散步吧。 👍🏽",  # noqa: RUF001
    "a literal [SEP] in it, or </s>, or <|im_end|>, or [CLS]",
    "  two   leading, and trailing \n",
    "The harbour master logs every ship that enters before dawn. " * 9,
    "cat " * 400,
)
QUERIES = (
    "When does the ferry leave?",
    "z",
    "Wann fährt die Fähre, [SEP] bitte ?",
    "The harbour master logs every ship that enters before dawn, and its cargo too. " * 3,
)

# The template of Qwen3-Reranker, as its authors publish it.
QWEN3_TEMPLATE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n"
    '<Query>: {{ messages | selectattr("role", "eq", "query") | map(attribute="content") | first }}\n'
    '<Document>: {{ messages | selectattr("role", "eq", "document") | map(attribute="content") | first }}'
    # jinja drops a newline at the very end
    "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>{{ '\\n\\n' }}"
)
CORPUS = (
    *DOCUMENTS,
    *QUERIES,
    *[QWEN3_TEMPLATE.replace("{{ '\\n\\n' }}", "\n\n")] * 20,
    *["yes no"] * 9,
)
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def main() -> None:
    torch.manual_seed(5)
    torch.set_grad_enabled(False)
    bert = {"vocab_size": PIECES, "max_position_embeddings": READS, **SIZES, **WIDE}
    roberta = {**bert, "max_position_embeddings": READS + 2, "type_vocab_size": 1, "num_labels": 1}
    qwen3 = {
        "vocab_size": 2 * PIECES,
        "max_position_embeddings": 4 * READS,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "tie_word_embeddings": True,
        "use_cache": False,
        **SIZES,
        **WIDE,
        "num_hidden_layers": 1,
    }
    # What the ms-marco cross-encoders ask for: raw logits.
    raw = {"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}
    build(
        "bert", BertForSequenceClassification(BertConfig(**bert, num_labels=1, **raw)), word_piece
    )
    build(
        "roberta",
        RobertaForSequenceClassification(RobertaConfig(**roberta, pad_token_id=1)),
        byte_level,
    )
    build(
        "xlm-roberta",
        XLMRobertaForSequenceClassification(
            XLMRobertaConfig(**roberta, pad_token_id=1, hidden_act="gelu_new")
        ),
        unigram,
    )
    distil = {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 64, "num_labels": 1}
    export(
        "distilbert",
        DistilBertForSequenceClassification(
            DistilBertConfig(vocab_size=PIECES, max_position_embeddings=READS, **distil)
        ),
        lambda: word_piece(types=False),
    )
    for pooling in ("cls", "mean"):
        export(
            f"modernbert-{pooling}",
            ModernBertForSequenceClassification(
                ModernBertConfig(
                    **{**bert, "intermediate_size": 32},
                    num_labels=1,
                    classifier_pooling=pooling,
                    pad_token_id=0,
                    bos_token_id=2,
                    eos_token_id=3,
                    cls_token_id=2,
                    sep_token_id=3,
                    local_attention=16,
                    global_attn_every_n_layers=2,
                )
            ),
            lambda: word_piece(types=False),
        )
    export("qwen3", Qwen3ForCausalLM(Qwen3Config(**qwen3, pad_token_id=0)), chat)
    export(
        "qwen3-classifier",
        Qwen3ForSequenceClassification(Qwen3Config(**qwen3, pad_token_id=0, num_labels=1)),
        chat,
    )


def build(name: str, model: PreTrainedModel, tokenizer: Callable[[], Any]) -> Path:
    folder = DATA / name
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    for weight in model.parameters():
        # Far from the usual 0.02, so that a wrong token type or position changes the score visibly.
        noise = torch.randn_like(weight)
        weight.copy_(noise * 0.4 if weight.dim() > 1 else weight + noise * 0.1)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    encoder = CrossEncoder(str(folder), device="cpu")
    for written_too in ("generation_config.json", "chat_template.jinja"):
        (folder / written_too).unlink(missing_ok=True)
    cases = [case(encoder, query) for query in QUERIES]
    expected = {"documents": DOCUMENTS, "cases": cases}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return folder


def case(encoder: CrossEncoder, query: str) -> dict[str, Any]:
    # One pair at a time, so that no score depends on its neighbours' padding.
    pairs = [(query, document) for document in DOCUMENTS]
    scores = encoder.predict(pairs, batch_size=1)
    logits = encoder.predict(pairs, batch_size=1, activation_fn=nn.Identity())
    tokens = [int(encoder.preprocess([pair])["attention_mask"].sum()) for pair in pairs]
    return {
        "query": query,
        "scores": [float(score) for score in scores],
        "logits": [float(logit) for logit in logits],
        "tokens": tokens,
    }


class Logits(nn.Module):
    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export(name: str, model: PreTrainedModel, tokenizer: Callable[[], Any]) -> None:
    model.config._attn_implementation = "eager"  # sdpa's boolean masks give NaN in padding
    folder = build(name, model, tokenizer)
    ids = torch.randint(5, 60, (3, 12))
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.export.export(
        Logits(model), (ids, torch.ones_like(ids)), dynamic_shapes=(dynamic, dynamic), strict=False
    )
    converted = ov.convert_model(program)
    for port, port_name in zip(converted.inputs, ("input_ids", "attention_mask"), strict=True):
        port.get_tensor().set_names({port_name})
    converted.outputs[0].get_tensor().set_names({"logits"})
    for node in converted.get_ops():
        # Where in torch's code a node comes from is three quarters of the file.
        for key in list(node.get_rt_info()):
            del node.get_rt_info()[key]
    ov.save_model(converted, folder / "openvino_model.xml", compress_to_fp16=False)
    (folder / "model.safetensors").unlink()


def word_piece(types: bool = True) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=PIECES, special_tokens=list(BERT))
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.decoder = decoders.WordPiece()
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return fast(
        tokenizer,
        READS,
        [name for name in inputs if types or name != "token_type_ids"],
        **dict(
            zip(
                ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"),
                BERT,
                strict=True,
            )
        ),
    )


def byte_level() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=list(ROBERTA),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return fast(tokenizer, READS, ["input_ids", "attention_mask"], **roberta_names())


def unigram() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES, special_tokens=list(ROBERTA), unk_token="<unk>"
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return fast(tokenizer, READS, ["input_ids", "attention_mask"], **roberta_names())


def chat() -> PreTrainedTokenizerFast:
    """Qwen3's: byte-level BPE, no special tokens of its own, a chat template for rerankers."""
    words = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2 * PIECES,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    made = fast(
        tokenizer,
        4 * READS,
        ["input_ids", "attention_mask"],
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    made.padding_side = "left"
    made.chat_template = QWEN3_TEMPLATE
    return made


def roberta_names() -> dict[str, str]:
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    special = dict(zip(names, ROBERTA, strict=True))
    return special | {"cls_token": "<s>", "sep_token": "</s>"}


def fast(tokenizer: Tokenizer, limit: int, inputs: list[str], **special: str) -> Any:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=limit, model_input_names=inputs, **special
    )


if __name__ == "__main__":
    main()

"""Graph surgery: from a reranker of one score a text to one of a score a token, which the engine can pack.

A reranker is an encoder, a choice of token (the first, or the last) and a head on that token's vector.
The engine packs many texts into a row and chooses tokens itself, so the order is changed: the head scores
every token, as if it were the one chosen, and the engine takes the score of the right one. That costs a
small part of a layer. Which token is the right one is not argued but measured, against the model as it
was read. Where nothing fits (a head on the mean of all tokens) each token gets the text's score, which is
right as long as texts do not share rows; the engine measures that, too.

A causal language model says yes or no: its score is the difference of the two words' logits, and all
other words are cut out of its last layer.

Token types have to travel with the ids, since the engine lays out one list of numbers a text: such a model
takes 2 * id + type. (Not id + n * type, where ids still count up: the engine tells positions by that.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import openvino as ov
import openvino.opset13 as op

from calcgraph.calculators.engine import ModelUnsuitable, Pooling
from calcgraph.calculators.engine.model import gathers, table_rows, through_converts
from calcgraph.calculators.rerank.ports import (
    inputs_until,
    key,
    model_of,
    parameter_of,
    rank,
    replace,
)

OUTPUT: Final = "token_scores"
INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
PROBE_LENGTHS: Final = (5, 9, 2)
TOLERANCE: Final = 1e-4
"""Largest difference allowed from the model as it was read, in units of the largest score."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The two tokens of a causal model that mean relevant and not; `no` may be missing."""

    yes: int
    no: int | None


@dataclass(frozen=True, slots=True)
class TokenScorer:
    """`model` gives float32 [batch, tokens, 1]; a text's own score is at its first or its last token."""

    model: ov.Model
    read_at: Pooling
    typed: bool
    """It takes 2 * id + type for an id."""
    vocabulary: int | None


def token_scorer(core: ov.Core, model: ov.Model, answers: Answers | None) -> TokenScorer:
    """Rewrite a reranker; `model` itself is of no use afterwards. Raises ModelUnsuitable for what is none."""
    inputs = {port.get_any_name() for port in model.inputs}
    if "input_ids" not in inputs or not inputs <= INPUTS:
        raise ModelUnsuitable(
            f"the model has inputs {', '.join(sorted(inputs))}: expected input_ids and at most attention_mask, "
            "token_type_ids and position_ids (a language model has to be exported without its cache)"
        )
    vocabulary = _vocabulary(model)
    logits = _logits(model)
    if rank(logits) == 3:
        if answers is None:
            raise ModelUnsuitable(
                "the model gives a logit a word, and neither modules.json nor tokenizer.json names the words "
                "for relevant and not ('yes' and 'no')"
            )
        _check_words(logits, answers)
        scores, read_at = _answer_scores(logits, answers), Pooling.LAST
    else:
        _check_labels(logits)
        scores, read_at = _classifier_scores(core, model, logits, vocabulary or 100)
    scores.get_tensor().set_names({OUTPUT})
    scored = model_of(scores)
    typed = any(port.get_any_name() == "token_type_ids" for port in scored.inputs)
    return TokenScorer(_with_types_in_ids(scored) if typed else scored, read_at, typed, vocabulary)


def _logits(model: ov.Model) -> Any:
    """What the model answers with, as it is before the output."""
    outputs = {name: port for port in model.outputs for name in port.get_names()}
    if "logits" not in outputs and len(model.outputs) != 1:
        raise ModelUnsuitable(f"the model has outputs {', '.join(outputs)}: expected logits")
    port = outputs.get("logits", model.outputs[0])
    if rank(port) not in (2, 3) or port.get_partial_shape()[rank(port) - 1].is_dynamic:
        raise ModelUnsuitable(
            f"the model's output has shape {port.get_partial_shape()}: expected [batch, 1], or "
            "[batch, tokens, words] of a language model"
        )
    return port.get_node().input_value(0)


def _check_words(logits: Any, answers: Answers) -> None:
    """An encoder's output has the shape of a language model's, with fewer numbers a token."""
    words = logits.get_partial_shape()[2].get_length()
    if max(answers.yes, answers.no or 0) >= words:
        raise ModelUnsuitable(
            f"the model gives {words} numbers a token: these are no logits of words, and no scores; "
            "export it for text-classification"
        )


def _check_labels(logits: Any) -> None:
    labels = logits.get_partial_shape()[1].get_length()
    if labels > 2:
        raise ModelUnsuitable(
            f"the model has {labels} labels: a reranker has 1, or 2 of which the second means relevant"
        )


# A classifier


def _classifier_scores(
    core: ov.Core, model: ov.Model, logits: Any, words: int
) -> tuple[Any, Pooling]:
    """Scores [batch, tokens, 1] on the graph of `model`, and where to read them."""
    hidden = _last_vectors(logits)
    if hidden is not None:
        scores = _relevance(_head_on_every_token(model, hidden), axis=2)
        both = model_of(_relevance(logits, axis=1), scores)
        if (read_at := _where_they_agree(core, both, words)) is not None:
            return scores, read_at
    return _spread(model, _relevance(logits, axis=1)), Pooling.CLS


def _last_vectors(logits: Any) -> Any:
    """The vectors of tokens that the logits are made of: the last ports of shape [batch, tokens, n]."""
    found = {key(port): port for port in inputs_until(logits, _is_vectors) if _is_vectors(port)}
    return found.popitem()[1] if len(found) == 1 else None


def _is_vectors(port: Any) -> bool:
    shape = port.get_partial_shape()
    return bool(
        rank(port) == 3
        and shape[1].is_dynamic
        and shape[2].is_static
        and port.get_element_type().is_real()
    )


def _head_on_every_token(model: ov.Model, hidden: Any) -> Any:
    """[batch, tokens, labels]: every token's vector goes through the head as a text of that one token."""
    size = hidden.get_partial_shape()[2].get_length()
    alone = op.reshape(hidden, np.array([-1, 1, size]), False)
    ids = parameter_of(model, "input_ids").output(0)
    ids_alone = op.reshape(ids, np.array([-1, 1]), False)
    head = _head(model.clone())
    for parameter in head.get_parameters():
        name = parameter.output(0).get_any_name()
        value = alone if name == "hidden" else ids_alone
        if name not in ("hidden", "input_ids"):
            filled = 1 if name == "attention_mask" else 0
            one = op.constant(filled, parameter.get_element_type())
            value = op.broadcast(one, op.shape_of(ids_alone))
        replace(parameter.output(0), value.output(0))
    labels = head.output(0).get_partial_shape()[1].get_length()
    scores = head.output(0).get_node().input_value(0)
    size_of_batch = op.concat([op.shape_of(ids), op.constant(np.array([labels]))], 0)
    return op.reshape(scores, size_of_batch, False).output(0)


def _head(model: ov.Model) -> ov.Model:
    """The part of a model that follows the vectors, which become its input `hidden`."""
    logits = _logits(model)
    hidden = _last_vectors(logits)
    size = hidden.get_partial_shape()[2]
    entry = op.parameter(ov.PartialShape([-1, -1, size]), hidden.get_element_type(), name="hidden")
    entry.output(0).get_tensor().set_names({"hidden"})
    replace(hidden, entry.output(0))
    head = model_of(logits)
    for node in head.get_ops():
        # The engine tells nodes apart by their names, and these were copied.
        node.set_friendly_name(f"head/{node.get_friendly_name()}")
    return head


def _relevance(logits: Any, axis: int) -> Any:
    """One number: the label itself, or how much the second of two labels is ahead of the first."""
    if logits.get_partial_shape()[axis].get_length() == 1:
        return logits
    first, second = (op.gather(logits, np.array([i]), np.int64(axis)) for i in (0, 1))
    return op.subtract(second, first).output(0)


def _spread(model: ov.Model, scores: Any) -> Any:
    """[batch, tokens, 1]: a text's score at each of its tokens."""
    ids = parameter_of(model, "input_ids").output(0)
    shape = op.concat([op.shape_of(ids), op.constant(np.array([1]))], 0)
    return op.broadcast(op.unsqueeze(scores, np.array([1])), shape).output(0)


def _where_they_agree(core: ov.Core, both: ov.Model, words: int) -> Pooling | None:
    """The token at which the scores of tokens are the model's own, on random texts, one at a time."""
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(both, "CPU", settings).create_infer_request()
    random = np.random.default_rng(0)
    own, first, last = [], [], []
    for length in PROBE_LENGTHS:
        # Ids of ordinary words: special tokens come first in most vocabularies, padding among them.
        ids = random.integers(words // 4, words // 2, (1, length))
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        feeds["token_type_ids"] = np.arange(length)[None] // ((length + 1) // 2)
        feeds["position_ids"] = np.arange(length)[None]
        names = [port.get_any_name() for port in both.inputs]
        request.start_async({name: feeds[name] for name in names})
        request.wait()
        own.append(float(request.get_output_tensor(0).data[0, 0]))
        tokens = request.get_output_tensor(1).data[0, :, 0]
        first.append(float(tokens[0]))
        last.append(float(tokens[-1]))
    allowed = TOLERANCE * max(map(abs, own))
    for read_at, scores in ((Pooling.CLS, first), (Pooling.LAST, last)):
        if np.abs(np.subtract(own, scores)).max() <= allowed:
            return read_at
    return None


# A language model


def _answer_scores(logits: Any, answers: Answers) -> Any:
    """[batch, tokens, 1]: how much `yes` is ahead of `no` as the next word."""
    product = next(
        (p for p in inputs_until(logits, _is_product) if _is_product(p)),
        None,
    )
    words = [answers.yes] if answers.no is None else [answers.no, answers.yes]
    if product is None:
        chosen = op.gather(logits, np.array(words), np.int64(2)).output(0)
    else:
        node = product.get_node()
        axis = 0 if node.get_attributes()["transpose_b"] else 1
        rows = op.gather(node.input_value(1), np.array(words), np.int64(axis))
        node.input(1).replace_source_output(rows.output(0))
        chosen = logits
    return _relevance_of_words(chosen, len(words))


def _relevance_of_words(logits: Any, words: int) -> Any:
    if words == 1:
        return logits
    no, yes = (op.gather(logits, np.array([i]), np.int64(2)) for i in (0, 1))
    return op.subtract(yes, no).output(0)


def _is_product(port: Any) -> bool:
    return bool(port.get_node().get_type_name() == "MatMul")


# Token types


def _with_types_in_ids(model: ov.Model) -> ov.Model:
    """The model with one input instead of two: `input_ids` is 2 * id + type."""
    parameters = {p.output(0).get_any_name(): p for p in model.get_parameters()}
    ids, types = parameters.pop("input_ids"), parameters.pop("token_type_ids")
    both = op.parameter([-1, -1], ids.get_element_type(), name="input_ids")
    both.output(0).get_tensor().set_names({"input_ids"})
    two = op.constant(2, ids.get_element_type())
    half = op.divide(both, two)
    rest = op.subtract(both, op.multiply(half, two))
    replace(ids.output(0), half.output(0))
    replace(types.output(0), op.convert(rest, types.get_element_type()).output(0))
    return ov.Model(model.get_results(), [both, *parameters.values()], "typed")


def _vocabulary(model: ov.Model) -> int | None:
    """Rows of the table that input_ids look up."""
    for gather in gathers(model):
        source = through_converts(gather.input_value(1)).get_node()
        if source.get_type_name() == "Parameter" and "input_ids" in source.output(0).get_names():
            return table_rows(gather)
    return None

"""Prompts: chosen by name, by use or given in full, as sentence-transformers' encode puts them before a text."""

import json
from typing import Any

import pytest

from calcgraph.runtime.errors import GraphError, RequestError

from .conftest import F32, SIX_NODES, Loader, Model, edited

NODE = """
node {
  name: "prompt"
  calculator: "PromptTemplate"
  input_stream: "INPUT:input"
  output_stream: "INPUT:prompted"
  node_options: {
    [type.googleapis.com/calcgraph.PromptTemplateOptions]: { OPTIONS }
  }
}
"""
PROMPTS = """
      prompt { name: "query" text: "query: " }
      prompt { name: "passage" text: "passage: " }
      prompt { name: "sts" text: "same meaning? " }
      instruction_template: "Instruct: {instruction}\\nQuery: "
"""


def graph(options: str) -> str:
    before, name, tokenizer = edited(SIX_NODES, F32).partition('name: "tokenizer"')
    tokenizer = tokenizer.replace('"INPUT:input"', '"INPUT:prompted"', 1)
    return before + name + tokenizer + NODE.replace("OPTIONS", options)


def config(**content: Any) -> dict[str, bytes | None]:
    return {"config_sentence_transformers.json": json.dumps(content).encode()}


@pytest.fixture(scope="module")
def plain(load: Loader) -> Model:
    return load(edited(SIX_NODES, F32))


@pytest.fixture(scope="module")
def prompted(load: Loader) -> Model:
    return load(graph(PROMPTS))


@pytest.mark.parametrize(
    ("wish", "prompt"),
    [
        ({}, ""),
        ({"prompt_name": None}, ""),
        ({"prompt_name": "sts"}, "same meaning? "),
        ({"input_type": "query"}, "query: "),
        ({"input_type": "search_query"}, "query: "),
        ({"input_type": "document"}, "passage: "),
        ({"input_type": "sts"}, "same meaning? "),
        ({"input_type": "clustering"}, ""),
        ({"instruction": "Find {x}"}, "Instruct: Find {x}\nQuery: "),
        ({"input_type": "document", "prompt_name": "sts"}, "same meaning? "),
    ],
)
def test_a_request_chooses_the_words_before_its_texts(
    prompted: Model, plain: Model, wish: dict[str, Any], prompt: str
) -> None:
    texts = ["a happy person", ""]
    expected = plain.settle().answer([prompt + text for text in texts])
    found = prompted.settle().answer(texts, **wish)
    assert found["data"] == expected["data"]
    assert found["usage"] == expected["usage"]  # the prompt's tokens are read, and counted


def test_the_default_prompt_is_for_requests_that_choose_none(load: Loader, plain: Model) -> None:
    model = load(graph(PROMPTS + 'default_prompt: "sts"'))
    for wish in ({}, {"input_type": "clustering"}):
        assert model.answer("x", **wish)["data"] == plain.answer("same meaning? x")["data"]
    assert model.answer("x", prompt_name="query")["data"] == plain.answer("query: x")["data"]


def test_without_prompts_of_its_own_the_node_takes_the_models(load: Loader, plain: Model) -> None:
    files = config(prompts={"document": "text: ", "query": ""}, default_prompt_name="document")
    model = load(graph(""), files)
    assert model.answer("x")["data"] == plain.answer("text: x")["data"]
    assert model.answer("x", input_type="query")["data"] == plain.answer("x")["data"]
    assert model.answer("x", instruction="say ")["data"] == plain.answer("say x")["data"]
    details = model.executor.metadata.details
    assert details["prompts"] == {"document": "text: ", "query": ""}
    assert details["default_prompt"] == "document"


def test_an_unknown_prompt_is_refused_with_those_there_are(prompted: Model) -> None:
    with pytest.raises(RequestError, match="no prompt 'qeury', it has 'query', ") as raised:
        prompted.ask("x", prompt_name="qeury")
    assert raised.value.param == "prompt_name"


def test_token_ids_take_no_prompt(prompted: Model, plain: Model) -> None:
    assert prompted.answer([101, 102])["data"] == plain.answer([101, 102])["data"]
    assert prompted.answer([101, 102], input_type="query")["data"]
    with pytest.raises(RequestError, match="A prompt cannot be put before token ids"):
        prompted.ask([101, 102], prompt_name="query")


def test_tokenize_gives_the_tokens_of_the_text_as_it_is(load: Loader) -> None:
    model = load(graph(PROMPTS + 'default_prompt: "sts"'))
    answer = model.post("/v3/tokenize", {"text": "hello"})
    assert json.loads(answer.body) == {"tokens": [101, 7592, 102]}


@pytest.mark.parametrize("wish", [{"prompt_name": "query"}, {"instruction": "Find it"}])
def test_a_graph_without_prompts_does_not_ignore_them(plain: Model, wish: dict[str, str]) -> None:
    with pytest.raises(RequestError, match="no PromptTemplate node"):
        plain.ask("x", **wish)
    # Cohere's clients send it to every model; without prompts it makes no difference.
    assert plain.ask("x", input_type="search_query") == plain.ask("x")


def test_other_prompts_are_another_model(load: Loader, prompted: Model, plain: Model) -> None:
    other = load(graph(PROMPTS.replace('"query: "', '"query:"')))
    names = {model.executor.metadata.fingerprint for model in (plain, prompted, other)}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("options", "files", "message"),
    [
        (PROMPTS + 'default_prompt: "qery"', {}, "this node has no prompt 'qery', it has 'query'"),
        ('prompt { text: "x" }', {}, "each 'prompt' needs a 'name' of its own"),
        (PROMPTS + 'prompt { name: "query" }', {}, "each 'prompt' needs a 'name' of its own"),
        ("", config(prompts={}, default_prompt_name="q"), "has no prompt 'q', it has none"),
        ("", config(prompts={"q": 1}), "each of 'prompts' must be a string"),
        (
            PROMPTS,
            {"1_Pooling/config.json": b'{"include_prompt": false}'},
            "says include_prompt: false",
        ),
    ],
)
def test_prompts_that_make_no_sense_do_not_load(
    load: Loader, options: str, files: dict[str, bytes | None], message: str
) -> None:
    with pytest.raises(GraphError) as raised:
        load(graph(options), files)
    assert message in str(raised.value)
    assert "graph.pbtxt:" in str(raised.value)

"""A prompt around query and document, whatever stands in them."""

import pytest

from calcgraph.calculators.rerank.prompt import KNOWN, Prompt

PROMPT = Prompt("<<", "{instruction}? {query} | {document}", ">>", "usual")


@pytest.mark.parametrize(
    ("query", "document", "instruction", "before"),
    [
        ("q", "d", None, "usual? q | "),
        ("q", "d", "other", "other? q | "),
        ("q", "d", "", "? q | "),
        ("{document}", "{query}", "{query}", "{query}? {document} | "),
        ("<", "d >>", None, "usual? < | "),
    ],
)
def test_texts_are_put_in_their_places_and_left_alone(
    query: str, document: str, instruction: str | None, before: str
) -> None:
    assert PROMPT.text(query, document, instruction) == (before + document, len(before))


def test_a_prompt_that_is_made_already_loses_its_ends_only() -> None:
    assert PROMPT.text("<<usual? q", " | d>>", None) == ("usual? q | d", len("usual? q"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{document}", "holds {query} 0 times"),
        ("{query} {query} {document}", "holds {query} 2 times"),
        ("{query}", "holds {document} 0 times"),
        ("{document} {query}", "does not end in {document}: put what follows into prompt_suffix"),
    ],
)
def test_a_body_that_cannot_work_is_refused(body: str, message: str) -> None:
    with pytest.raises(ValueError, match="prompt") as raised:
        Prompt("", body, "")
    assert message in str(raised.value)


def test_qwen3_reads_the_prompt_of_its_authors() -> None:
    prompt = KNOWN["qwen3"]
    text, place = prompt.text("Q", "D", None)
    assert text[:place].endswith("answer the query\n<Query>: Q\n<Document>: ")
    assert prompt.suffix.endswith("</think>\n\n")

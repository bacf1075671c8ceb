"""The text format of protobuf, read without a schema."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import GraphError
from calcgraph.runtime.textproto import MAX_DEPTH, Block, Form, Scalar, Source, read, string_value


def only_field(text):
    (field,) = read(Source(text)).root.fields
    return field


@pytest.mark.parametrize(
    ("text", "form", "name"),
    [
        ("[type.googleapis.com/a.B] {}", Form.ANY, "type.googleapis.com/a.B"),
        ("[type.googleapis.com / a.B] {}", Form.ANY, "type.googleapis.com/a.B"),
        ("[type.googleapis.com/a.B]: {}", Form.ANY, "type.googleapis.com/a.B"),
        ("[type.googleapis.com/a.B] <>", Form.ANY, "type.googleapis.com/a.B"),
        ("[my-host.example/path/a.B] {}", Form.ANY, "my-host.example/path/a.B"),
        ("[\n # why\n x/a.B ] {}", Form.ANY, "x/a.B"),
        ("[a.B.ext] {}", Form.EXTENSION, "a.B.ext"),
        ("[ a . B . ext ]: <>", Form.EXTENSION, "a.B.ext"),
        ("plain {}", Form.PLAIN, "plain"),
        ("plain: {}", Form.PLAIN, "plain"),
        ("plain <>", Form.PLAIN, "plain"),
    ],
)
def test_o3_o4_every_spelling_of_a_message_field_is_read(text, form, name):
    field = only_field(text)
    assert (field.form, field.name) == (form, name)
    assert isinstance(field.values[0], Block)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", ("number", "1")),
        ("a:-1", ("number", "-1")),
        ("a: - 1", ("number", "-1")),
        ("a: 0x1F", ("number", "0x1F")),
        ("a: 1.5e-3f", ("number", "1.5e-3f")),
        ("a: .5", ("number", ".5")),
        ("a: true", ("word", "true")),
        ("a: -inf", ("word", "-inf")),
        ("a: 'x'", ("string", "'x'")),
        ('a: "x" \'y\'\n"z"', ("string", '"x" \'y\'\n"z"')),
    ],
)
def test_scalars_are_kept_as_written(text, expected):
    (value,) = only_field(text).values
    assert isinstance(value, Scalar)
    assert (value.kind, value.text) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"a\n\t\"\\"', b'a\n\t"\\'),
        (r'"\x41\101"', b"AA"),
        ("'it''s'", b"its"),
        ('"caf\u00e9"', "caf\u00e9".encode()),
        (r'"\303\251"', "\u00e9".encode()),
        (r'"\u00e9\U0001F600"', "\u00e9\U0001f600".encode()),
        (r'"\?\'\a\b\f\r\v\0"', b"?'\a\b\f\r\v\0"),
    ],
)
def test_escapes_are_undone_and_adjacent_strings_joined(written, meant):
    (value,) = only_field(f"a: {written}").values
    assert string_value(value) == meant


@pytest.mark.parametrize("written", [r'"\777"', r'"\q"', r'"\x"', r'"\uD800"', r'"\U00110000"'])
def test_an_escape_that_is_none_is_refused(written):
    (value,) = only_field(f"a: {written}").values
    with pytest.raises(ValueError):
        string_value(value)


def test_lists_hold_scalars_or_messages():
    assert [value.text for value in only_field("a: [1, 2, 3]").values] == ["1", "2", "3"]
    assert all(isinstance(value, Block) for value in only_field("a [{b: 1}, <b: 2>]").values)
    assert only_field("a: []").values == ()


@pytest.mark.parametrize("separator", ["", ",", ";", "\n", "\r\n", " # words\n"])
def test_fields_may_be_separated_by_anything_usual(separator):
    document = read(Source(f"a: 1{separator} b {{ c: 2{separator} }}{separator}"))
    assert [field.name for field in document.root.fields] == ["a", "b"]


def test_comments_are_kept_and_a_hash_in_a_string_is_none():
    document = read(Source('# one\na: "#no" # two\n#three'))
    assert [text for text, _ in document.comments] == ["one", "two", "three"]


def test_a_byte_order_mark_is_skipped():
    assert only_field("\ufeffa: 1").name == "a"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "node {\n  name: 'a'\n",
            "3:1",
            "found the end of the text, expected '}' (opened in line 1)",
        ),
        ("node {\n  name 'a'\n}", "2:8", "found ''a'' after 'name', expected ':' or '{'"),
        ("node }", "1:6", "found '}' after 'node', expected ':' or '{'"),
        ("}", "1:1", "found '}', expected the name of a field"),
        ("a: {\n b: ]", "2:5", "found ']', expected a value for 'b'"),
        ("a: [1 2]", "1:7", "found '2' in the list of 'a', expected ',' or ']'"),
        ("a: 'x\n'", "1:4", "the string that starts here with ' has no end in its line"),
        ("a: 1x", "1:5", "a number is followed by a letter"),
        ("a: $", "1:4", "found '$', which has no meaning outside a string"),
        ("a: \u00e9", "1:4", "which has no meaning outside a string"),
        ("[a.B {}", "1:6", "found '{', expected ']'"),
        ("[] {}", "1:1", "'[]' names no type"),
        ("[host/] {}", "1:1", "'[host/]' names no type"),
        ("a { b: 1 >", "1:10", "found '>', expected the name of a field"),
        ("\u00fc", "1:1", "which has no meaning outside a string"),
    ],
)
def test_a_syntax_error_says_where_what_was_found_and_what_was_expected(text, place, message):
    with pytest.raises(GraphError) as caught:
        read(Source(text, "graph.pbtxt"))
    assert str(caught.value).startswith(f"graph.pbtxt:{place}: ")
    assert message in str(caught.value)


def test_messages_nest_as_deep_as_in_protobuf_and_no_deeper():
    read(Source("a {" * MAX_DEPTH + "}" * MAX_DEPTH))
    with pytest.raises(GraphError, match="more than 100 messages inside one another"):
        read(Source("a {" * 5000))


def test_a_part_of_a_source_knows_its_place_in_the_file():
    source = Source("one\ntwo three", "f")
    part = source.part(8, 13)
    assert part.text == "three"
    assert str(part.location(0)) == "f:2:5"
    assert str(part.location(3)) == "f:2:8"


SNIPPETS = st.sampled_from(
    [
        "node",
        "{",
        "}",
        "<",
        ">",
        "[",
        "]",
        ":",
        ",",
        ";",
        "/",
        "-",
        "\n",
        " ",
        "#c\n",
        '"a"',
        "'",
        "1",
        "0x",
        "1e",
        "true",
        "calculator",
        "input_stream",
        "options",
        "node_options",
        "[a.B.ext]",
        "[type.googleapis.com/a.B]",
        "max_in_flight",
        "max_queue_size",
        "type_url",
        '"\\377"',
        "\u00e9",
        "\\",
        "google.protobuf.Struct",
    ]
)


@given(st.one_of(st.text(), st.lists(SNIPPETS).map("".join), st.lists(SNIPPETS).map(" ".join)))
def test_any_text_is_read_or_refused_at_a_place_inside_it(text):
    try:
        read_graph(text, "g")
    except GraphError as error:
        lines = text.split("\n")
        for problem in error.problems:
            line, column = problem.location.line, problem.location.column
            assert 1 <= line <= len(lines)
            assert 1 <= column <= len(lines[line - 1]) + 1


@given(st.text())
def test_any_string_survives_quoting(value):
    escaped = re.sub(r'[\\"]', r"\\\g<0>", value).replace("\n", r"\n")
    assert read_graph(f'type: "{escaped}"').proto.type == value

"""`TAG:index:name` (rules N1 to N7, cases NM1, NM3, TM1, TM2)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.tags import (
    TagMap,
    parse_tag_index,
    parse_tag_index_name,
    tag_index_of,
    validate_name,
    validate_tag,
)

SHUFFLED = ["w", "A:2:a2", "x", "B:1:b1", "C:c0", "y", "A:0:a0", "B:b0", "z", "A:1:a1"]


@pytest.mark.parametrize("name", ["humphrey_bogart_1899", "aa", "b1", "_1", "a"])
def test_n1_nm1_a_name_is_lower_case(name):
    validate_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a b", "humphreyBogart", "-", "/", ".", "a:b", "1st", "401k", "0", "a\n", "a\\", "\u00e9"],
)
def test_n1_nm1_anything_else_is_no_name(name):
    with pytest.raises(StatusError) as caught:
        validate_name(name)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert f"'{name}'" in caught.value.message


@pytest.mark.parametrize("tag", ["A", "_", "A_1", "MALE"])
def test_n1_a_tag_is_upper_case(tag):
    validate_tag(tag)


@pytest.mark.parametrize("tag", ["", "a", "Aa", "1A", "A-", "A B"])
def test_n1_anything_else_is_no_tag(tag):
    with pytest.raises(StatusError):
        validate_tag(tag)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MALE:humphrey", ("MALE", 0, "humphrey")),
        ("humphrey_bogart", ("", -1, "humphrey_bogart")),
        ("ACTRESS:3:mieko_harada", ("ACTRESS", 3, "mieko_harada")),
        ("A1:10000:x", ("A1", 10000, "x")),
        ("_:_", ("_", 0, "_")),
    ],
)
def test_n2_nm3_the_three_forms_of_a_port(text, expected):
    assert parse_tag_index_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "Aa",
        "1a",
        ":name",
        "A:",
        "a:name",
        "1:name",
        ":1:name",
        "A:1:",
        "A::name",
        "A:-1:name",
        "A:01:name",
        "A:00:name",
        "A:1:a:a",
        "A:10001:x",
        "A:1:a:",
    ],
)
def test_n2_nm3_anything_else_is_refused_with_the_text_quoted(text):
    with pytest.raises(StatusError) as caught:
        parse_tag_index_name(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(f"'{text}'")


@given(
    st.sampled_from("!\"#$%&'()*+,-./;<=>?@[\\]^`{|}~ \t\n\u0430"),
    st.integers(min_value=0, max_value=12),
)
def test_n2_nm3_no_other_character_may_stand_anywhere(character, place):
    text = "A_B:1:name_2"
    with pytest.raises(StatusError):
        parse_tag_index_name(text[:place] + character + text[place:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", 0)),
        (":2", ("", 2)),
        (":0", ("", 0)),
        ("VIDEO", ("VIDEO", 0)),
        ("VIDEO:2", ("VIDEO", 2)),
        ("VIDEO:10000", ("VIDEO", 10000)),
    ],
)
def test_n3_a_tag_and_index_without_a_name(text, expected):
    assert parse_tag_index(text) == expected


@pytest.mark.parametrize(
    "text", ["video", "VIDEO:", ":", "VIDEO:01", "VIDEO:1:", "1", ":10001", ":-1"]
)
def test_n3_anything_else_is_no_tag_and_index(text):
    with pytest.raises(StatusError) as caught:
        parse_tag_index(text)
    assert caught.value.message.startswith(f"'{text}'")


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["blah1", "blah2"],
        ["BLAH:blah1", "BLAH:1:blah2"],
        SHUFFLED,
        ["a", "a"],
        ["A:a", "B:a"],
    ],
    ids=str,
)
def test_n4_tm1_a_tags_indexes_start_at_0_without_a_hole(texts):
    assert len(TagMap.create(texts)) == len(texts)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["BLAH:blah1", "BLAH:blah2"], "index 0 is used by both 'blah1' and 'blah2'"),
        (["BLAH:1:blah1", "BLAH:2:blah2"], "has index 1 but not 0"),
        (["A:a", "A:2:b"], "has index 2 but not 1"),
    ],
)
def test_n4_tm1_a_reused_index_or_a_hole_is_a_failed_precondition(texts, message):
    with pytest.raises(StatusError, match=message) as caught:
        TagMap.create(texts)
    assert caught.value.code is Code.FAILED_PRECONDITION


def test_n4_tm1_an_index_needs_a_tag():
    with pytest.raises(StatusError) as caught:
        TagMap.create(["0:blah1"])
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_n5_tm2_ports_stand_in_canonical_order():
    ports = TagMap.create(SHUFFLED)
    assert len(ports) == 10
    assert ports.tags == ("", "A", "B", "C")
    assert ports.names == ("w", "x", "y", "z", "a0", "a1", "a2", "b0", "b1", "c0")
    assert TagMap.create(["BLAH2:blah2", "BLAH1:blah1"]).names == ("blah1", "blah2")


def test_n5_more_than_nine_indexes_are_ordered_as_numbers():
    texts = [f"A:{index}:a{index}" for index in reversed(range(12))]
    assert TagMap.create(texts).names == tuple(f"a{index}" for index in range(12))


def test_n6_tm2_a_port_is_found_by_tag_and_index():
    ports = TagMap.create(SHUFFLED)
    assert ports["", 1].name == "x"
    assert ports["A", 2].name == "a2"
    assert ports.id("B", 1) == 8
    assert (ports.count(), ports.count("A"), ports.count("D")) == (4, 3, 0)
    with pytest.raises(KeyError):
        ports["A", 3]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("TAG", ("TAG", 0)),
        ("TAG:1", ("TAG", 1)),
        (("TAG", 2), ("TAG", 2)),
        (3, ("", 3)),
        ("", ("", 0)),
    ],
)
def test_n6_an_author_may_name_a_port_in_several_ways(key, expected):
    assert tag_index_of(key) == expected


def test_n7_the_canonical_form_has_an_index_only_where_it_is_needed():
    assert TagMap.create(SHUFFLED).canonical() == [
        *("w", "x", "y", "z"),
        *("A:0:a0", "A:1:a1", "A:2:a2"),
        *("B:0:b0", "B:1:b1"),
        "C:c0",
    ]


def test_n7_two_maps_are_the_same_when_tags_and_counts_match():
    assert TagMap.create(["A:x", "b"]).same_as(TagMap.create(["c", "A:d"]))
    assert not TagMap.create(["A:x", "b"]).same_as(TagMap.create(["A:x", "A:1:b"]))


@given(st.text(alphabet=string.ascii_letters + ":_0123456789", max_size=12))
def test_n2_whatever_is_accepted_prints_as_itself_or_with_its_index_left_out(text):
    try:
        tag, index, name = parse_tag_index_name(text)
    except StatusError:
        return
    assert text in (name, f"{tag}:{name}", f"{tag}:{index}:{name}")

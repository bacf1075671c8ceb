"""When a packet is."""

import pytest

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.timestamp import (
    DONE,
    MAX,
    MIN,
    ONE_OVER_POST_STREAM,
    POST_STREAM,
    PRE_STREAM,
    UNSET,
    UNSTARTED,
    Timestamp,
    next_allowed,
    previous_allowed,
)

SPECIAL = [UNSET, UNSTARTED, PRE_STREAM, MIN, MAX, POST_STREAM, ONE_OVER_POST_STREAM, DONE]


def test_the_special_times_in_their_order():
    """Rule T1."""
    assert sorted(SPECIAL) == SPECIAL
    assert SPECIAL[0] == -(2**63)
    assert SPECIAL[-1] == 2**63 - 1
    assert UNSET + 3 == MIN < 0 < MAX == DONE - 3


@pytest.mark.parametrize("value", SPECIAL)
def test_special_values_do_not_come_from_integers(value):
    """Case TS1. Rule T2."""
    with pytest.raises(StatusError, match="special values are attributes"):
        Timestamp(value)


def test_ordinary_integers_do():
    """Case TS1."""
    assert Timestamp(1) == 1


@pytest.mark.parametrize(
    ("value", "special", "is_range", "in_stream"),
    [
        (UNSET, True, False, False),
        (UNSTARTED, True, False, False),
        (PRE_STREAM, True, False, True),
        (MIN, True, True, True),
        (MIN + 1, False, True, True),
        (0, False, True, True),
        (MAX - 1, False, True, True),
        (MAX, True, True, True),
        (POST_STREAM, True, False, True),
        (ONE_OVER_POST_STREAM, True, False, False),
        (DONE, True, False, False),
    ],
)
def test_kinds_of_time(value, special, is_range, in_stream):
    """Case TS2. Rule T3."""
    t = Timestamp.of(value)
    assert (t.is_special_value(), t.is_range_value(), t.is_allowed_in_stream()) == (
        special,
        is_range,
        in_stream,
    )


@pytest.mark.parametrize(
    ("t", "following"),
    [
        (PRE_STREAM, ONE_OVER_POST_STREAM),
        (MIN, MIN + 1),
        (-1000, -999),
        (0, 1),
        (MAX - 1, MAX),
        (MAX, ONE_OVER_POST_STREAM),
        (POST_STREAM, ONE_OVER_POST_STREAM),
        (UNSTARTED, MIN),
    ],
)
def test_the_next_time_a_stream_may_have(t, following):
    """Case TS3. Rule T4."""
    assert next_allowed(t) == following


@pytest.mark.parametrize(
    ("t", "before"),
    [
        (MIN, UNSTARTED),
        (PRE_STREAM, UNSTARTED),
        (POST_STREAM, UNSTARTED),
        (ONE_OVER_POST_STREAM, MAX),
        (DONE, MAX),
        (1, 0),
    ],
)
def test_the_time_below_a_bound(t, before):
    """Rule T4."""
    assert previous_allowed(t) == before


def test_how_times_are_spelled():
    """Rule T6."""
    assert str(Timestamp.DONE) == "Timestamp::Done()"
    assert str(Timestamp(7)) == "7"
    assert repr(Timestamp(7)) == "Timestamp(7)"


def test_seconds_are_rounded_to_the_nearest_microsecond():
    """Rule T6."""
    assert Timestamp.from_seconds(1.0000006) == 1000001
    assert Timestamp(1500000).seconds() == 1.5

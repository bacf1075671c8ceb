"""When a packet is: microseconds, and the special moments before, between and after them.

The rules are those of mediapipe/framework/timestamp.{h,cc}. A `Timestamp` is an `int`, so that the
scheduler compares plain integers; only the constructor refuses the special values.
"""

from __future__ import annotations

from typing import ClassVar

from calcgraph.runtime.errors import Code, status_error

_INT64_MIN = -(2**63)
_INT64_MAX = 2**63 - 1

UNSET = _INT64_MIN
UNSTARTED = _INT64_MIN + 1
PRE_STREAM = _INT64_MIN + 2
MIN = _INT64_MIN + 3
MAX = _INT64_MAX - 3
POST_STREAM = _INT64_MAX - 2
ONE_OVER_POST_STREAM = _INT64_MAX - 1
DONE = _INT64_MAX

_NAMES = {
    UNSET: "Unset",
    UNSTARTED: "Unstarted",
    PRE_STREAM: "PreStream",
    MIN: "Min",
    MAX: "Max",
    POST_STREAM: "PostStream",
    ONE_OVER_POST_STREAM: "OneOverPostStream",
    DONE: "Done",
}


class Timestamp(int):
    """A moment of a stream, in microseconds. Special values come from the class attributes only.

    `+` and `-` are those of integers; `add_offset` stays within the range of times.
    """

    UNSET: ClassVar[Timestamp]
    UNSTARTED: ClassVar[Timestamp]
    PRESTREAM: ClassVar[Timestamp]
    MIN: ClassVar[Timestamp]
    MAX: ClassVar[Timestamp]
    POSTSTREAM: ClassVar[Timestamp]
    ONE_OVER_POSTSTREAM: ClassVar[Timestamp]
    DONE: ClassVar[Timestamp]

    __slots__ = ()

    def __new__(cls, value: int) -> Timestamp:
        """Raises INVALID_ARGUMENT for an integer that only a special value may have."""
        if not MIN < value < MAX and not isinstance(value, Timestamp):
            raise status_error(
                Code.INVALID_ARGUMENT,
                f"a timestamp lies between {MIN + 1} and {MAX - 1}, found {value} ({text(value)}); "
                "special values are attributes of Timestamp, for example Timestamp.PRESTREAM",
            )
        return super().__new__(cls, value)

    @classmethod
    def of(cls, value: int) -> Timestamp:
        """Any int64, the special values included."""
        return int.__new__(cls, value)

    @classmethod
    def from_seconds(cls, seconds: float) -> Timestamp:
        """The nearest microsecond."""
        return cls(round(seconds * 1_000_000))

    @property
    def value(self) -> int:
        return int(self)

    def seconds(self) -> float:
        return int(self) / 1_000_000

    def microseconds(self) -> int:
        return int(self)

    def is_special_value(self) -> bool:
        return self in _NAMES

    def is_range_value(self) -> bool:
        return is_range(self)

    def is_allowed_in_stream(self) -> bool:
        return is_allowed_in_stream(self)

    def next_allowed_in_stream(self) -> Timestamp:
        return Timestamp.of(next_allowed(self))

    def previous_allowed_in_stream(self) -> Timestamp:
        return Timestamp.of(previous_allowed(self))

    def __repr__(self) -> str:
        return f"Timestamp({text(self)})" if self not in _NAMES else text(self)

    def __str__(self) -> str:
        return text(self)


for _attribute, _value in {
    "UNSET": UNSET,
    "UNSTARTED": UNSTARTED,
    "PRESTREAM": PRE_STREAM,
    "MIN": MIN,
    "MAX": MAX,
    "POSTSTREAM": POST_STREAM,
    "ONE_OVER_POSTSTREAM": ONE_OVER_POST_STREAM,
    "DONE": DONE,
}.items():
    setattr(Timestamp, _attribute, Timestamp.of(_value))


def text(t: int) -> str:
    """MediaPipe's DebugString: the number, or `Timestamp::Done()` and the like."""
    return f"Timestamp::{_NAMES[t]}()" if t in _NAMES else str(int(t))


def is_range(t: int) -> bool:
    return MIN <= t <= MAX


def is_allowed_in_stream(t: int) -> bool:
    return PRE_STREAM <= t <= POST_STREAM


def next_allowed(t: int) -> int:
    """The earliest time a packet may have after one at `t`."""
    if t == PRE_STREAM or t >= MAX:
        return ONE_OVER_POST_STREAM
    return MIN if t < MIN else t + 1


def previous_allowed(t: int) -> int:
    """The latest settled time below the bound `t`."""
    if t <= MIN or t == POST_STREAM:
        return UNSTARTED
    return MAX if t in (ONE_OVER_POST_STREAM, DONE) else t - 1


def add_offset(t: int, offset: int) -> int:
    """`t + offset`, kept within [MIN, MAX]; `t` is a range value."""
    return min(max(t + offset, MIN), MAX)

"""What went wrong, and who can mend it: the graph's author, the caller, or a calculator's author.

Every error carries an absl status code (the numbers are gRPC's too), since MediaPipe's users and both
front ends speak in them. As in MediaPipe's Python binding, INVALID_ARGUMENT and FAILED_PRECONDITION are
also `ValueError`, all others `RuntimeError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Code(IntEnum):
    """The absl / gRPC status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class StatusError(Exception):
    """An absl status that is not OK."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class InvalidStatus(StatusError, ValueError):
    """INVALID_ARGUMENT or FAILED_PRECONDITION."""


class FailedStatus(StatusError, RuntimeError):
    """Every other code."""


_ARE_VALUE_ERRORS = frozenset({Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION})


def status_error(code: Code, message: str) -> StatusError:
    """The error for a code, of the class that MediaPipe's Python users catch."""
    kind = InvalidStatus if code in _ARE_VALUE_ERRORS else FailedStatus
    return kind(code, message)


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a graph file; line and column count from 1, and 0 means unknown (a binary config)."""

    file: str = "<graph>"
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


NOWHERE: Final = Location()


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a graph."""

    location: Location
    message: str
    code: Code = Code.INVALID_ARGUMENT

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


class GraphError(StatusError):
    """The graph's author can mend this: all the mistakes that were found in one graph, in file order.

    Its code is `code` or else the one that all problems share, or UNKNOWN.
    """

    problems: tuple[Problem, ...]

    def __new__(cls, problems: Iterable[Problem], code: Code | None = None) -> GraphError:
        found = tuple(problems)
        code = common_code(p.code for p in found) if code is None else code
        kind = _InvalidGraph if code in _ARE_VALUE_ERRORS else _FailedGraph
        return Exception.__new__(kind if cls is GraphError else cls, found, code)

    def __init__(self, problems: Iterable[Problem], code: Code | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__(
            common_code(p.code for p in self.problems) if code is None else code,
            "\n".join(str(p) for p in self.problems),
        )


class _InvalidGraph(GraphError, InvalidStatus):
    pass


class _FailedGraph(GraphError, FailedStatus):
    pass


class RequestError(InvalidStatus):
    """The caller can mend this. A calculator raises it to refuse one request.

    `param` names the offending field of the request, `reason` is a stable word for programs (OpenAI's
    `error.code`, for example `context_length_exceeded`).
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        reason: str | None = None,
        code: Code = Code.INVALID_ARGUMENT,
    ) -> None:
        super().__init__(code, message)
        self.param = param
        self.reason = reason


class CalculatorError(StatusError):
    """A calculator's method raised; `__cause__` is what it raised."""

    def __init__(self, node: str, method: str, cause: BaseException) -> None:
        code = cause.code if isinstance(cause, StatusError) else Code.UNKNOWN
        text = str(cause) if isinstance(cause, StatusError) else f"{type(cause).__name__}: {cause}"
        super().__init__(code, f'Calculator::{method}() for node "{node}" failed: {text}')
        self.node = node
        self.method = method
        self.__cause__ = cause


class RunError(StatusError):
    """All that went wrong in one run of a graph, in the order it happened."""

    errors: tuple[StatusError, ...]

    def __new__(cls, prefix: str, errors: Iterable[StatusError]) -> RunError:
        found = tuple(errors)
        kind = (
            _InvalidRun if common_code(e.code for e in found) in _ARE_VALUE_ERRORS else _FailedRun
        )
        return Exception.__new__(kind if cls is RunError else cls, prefix, found)

    def __init__(self, prefix: str, errors: Iterable[StatusError]) -> None:
        self.errors = tuple(errors)
        super().__init__(
            common_code(e.code for e in self.errors),
            "\n".join([prefix.rstrip(), *(e.message for e in self.errors)])
            if len(self.errors) > 1
            else prefix + self.errors[0].message,
        )

    def request_error(self) -> RequestError | None:
        """The caller's mistake behind this run, if that is what ended it."""
        for error in self.errors:
            if isinstance(error.__cause__, RequestError):
                return error.__cause__
        return None


class _InvalidRun(RunError, InvalidStatus):
    pass


class _FailedRun(RunError, FailedStatus):
    pass


def common_code(codes: Iterable[Code]) -> Code:
    """The code that all share, or UNKNOWN (mediapipe/framework/tool/status_util.cc, CombinedStatus)."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else Code.UNKNOWN

"""What went wrong, and who can mend it: the graph's author, the caller, or a calculator's author.

Every error carries an absl status code (the numbers are gRPC's too), since MediaPipe's users and both
front ends speak in them. As in MediaPipe's Python binding, INVALID_ARGUMENT is also a `ValueError`,
UNIMPLEMENTED a `NotImplementedError` and every other code a `RuntimeError`; FAILED_PRECONDITION is a
`ValueError` besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar

E = TypeVar("E", bound=Exception)


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
    """INVALID_ARGUMENT."""


class FailedStatus(StatusError, RuntimeError):
    """Every other code."""


class MisuseStatus(InvalidStatus, FailedStatus):
    """FAILED_PRECONDITION: a `RuntimeError` to MediaPipe, a `ValueError` to most Python programmers."""


class UnsupportedStatus(FailedStatus, NotImplementedError):
    """UNIMPLEMENTED."""


_CLASSES: Final[Mapping[Code, type[StatusError]]] = {
    Code.INVALID_ARGUMENT: InvalidStatus,
    Code.FAILED_PRECONDITION: MisuseStatus,
    Code.UNIMPLEMENTED: UnsupportedStatus,
}


def status_error(code: Code, message: str) -> StatusError:
    """The error for a code, of the class that MediaPipe's Python users catch."""
    return _CLASSES.get(code, FailedStatus)(code, message)


_kinds: dict[tuple[Any, Code], Any] = {}


def _kind(error: type[E], code: Code) -> type[E]:
    """The subclass of `error` that is also what people catch for that code."""
    kind: type[E] | None = _kinds.get((error, code))
    if kind is None:
        bases = (error, _CLASSES.get(code, FailedStatus))
        kind = _kinds[error, code] = type(error.__name__, bases, {"__module__": error.__module__})
    return kind


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
        kind = _kind(cls, code) if cls is GraphError else cls
        return Exception.__new__(kind, found, code)

    def __init__(self, problems: Iterable[Problem], code: Code | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__(
            common_code(p.code for p in self.problems) if code is None else code,
            "\n".join(str(p) for p in self.problems),
        )


class RequestError(InvalidStatus):
    """The caller can mend this. A calculator raises it to refuse one request.

    `param` names the offending field of the request, `reason` is a stable word for programs (OpenAI's
    `error.code`, for example `context_length_exceeded`), `retry_after` the seconds after which the same
    request may succeed.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        reason: str | None = None,
        code: Code = Code.INVALID_ARGUMENT,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.param = param
        self.reason = reason
        self.retry_after = retry_after


class CalculatorError(StatusError):
    """A calculator's method raised; `__cause__` is what it raised, and its code, if it has one, counts."""

    def __new__(cls, node: str, method: str, cause: BaseException) -> CalculatorError:
        kind = _kind(cls, _code_of(cause)) if cls is CalculatorError else cls
        return Exception.__new__(kind, node, method, cause)

    def __init__(self, node: str, method: str, cause: BaseException) -> None:
        text = str(cause) if isinstance(cause, StatusError) else f"{type(cause).__name__}: {cause}"
        super().__init__(
            _code_of(cause), f'Calculator::{method}() for node "{node}" failed: {text}'
        )
        self.node = node
        self.method = method
        self.__cause__ = cause


def _code_of(cause: BaseException) -> Code:
    return cause.code if isinstance(cause, StatusError) else Code.UNKNOWN


class RunError(StatusError):
    """All that went wrong in one run of a graph, in the order it happened."""

    errors: tuple[StatusError, ...]

    def __new__(cls, prefix: str, errors: Iterable[StatusError]) -> RunError:
        found = tuple(errors)
        kind = _kind(cls, common_code(e.code for e in found)) if cls is RunError else cls
        return Exception.__new__(kind, prefix, found)

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


def callers_mistake(error: StatusError) -> RequestError | None:
    """The caller's mistake that a graph failed for, if that is what it was."""
    if isinstance(error, RunError):
        return error.request_error()
    cause = error.__cause__
    return cause if isinstance(cause, RequestError) else None


def common_code(codes: Iterable[Code]) -> Code:
    """The code that all share, or UNKNOWN (mediapipe/framework/tool/status_util.cc, CombinedStatus)."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else Code.UNKNOWN

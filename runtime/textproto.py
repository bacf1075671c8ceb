"""From the text format of protobuf to a syntax tree, without any schema.

protobuf's own reader needs every type that a file mentions, and says of one it lacks neither line nor
column. A graph mentions the option types of calculators that may live anywhere, so a graph is read in
two steps: this tree first, which knows no types, and then `binding`, message by message, once somebody
knows the type. Every node of the tree remembers where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Final, Literal

from calcgraph.runtime.errors import GraphError, Location, Problem

MAX_DEPTH: Final = 100
"""protobuf's own limit on nested messages."""


@dataclass(frozen=True)
class Source:
    """A text and where it stands in its file: an option block is read again from the middle of one."""

    text: str
    file: str = "<graph>"
    line: int = 1
    column: int = 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def location(self, offset: int) -> Location:
        """Line and column in the file, counted from 1 in characters."""
        row = bisect_right(self._line_starts, offset) - 1
        column = offset - self._line_starts[row]
        return Location(self.file, self.line + row, column + (self.column if row == 0 else 1))

    def part(self, start: int, end: int) -> Source:
        """A stretch of this text that still knows its place in the file."""
        at = self.location(start)
        return Source(self.text[start:end], self.file, at.line, at.column)


class Form(Enum):
    """How the name of a field is written."""

    PLAIN = "plain"
    """`name`"""
    EXTENSION = "extension"
    """`[package.Type.name]`"""
    ANY = "any"
    """`[host/package.Type]`"""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, a number (its sign included) or a bare word, as written."""

    kind: Literal["string", "number", "word"]
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Block:
    """The fields between two brackets, or a whole file."""

    fields: tuple[Field, ...]
    start: int
    """Offset of the first character after the bracket."""
    end: int
    """Offset of the closing bracket."""


@dataclass(frozen=True, slots=True)
class Field:
    """One `name: value`; `name: [a, b]` has several values."""

    name: str
    form: Form
    values: tuple[Scalar | Block, ...]
    is_list: bool
    start: int
    end: int
    value_starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its fields and its comments (text without `#`, offset)."""

    source: Source
    root: Block
    comments: tuple[tuple[str, int], ...] = field(default=())


def read(source: Source) -> Document:
    """Raises GraphError, with the place, for text that is not well formed."""
    tokens = _Tokens(source)
    root = _Parser(source, tokens).block(closing=None, depth=0)
    return Document(source, root, tuple(tokens.comments))


def string_value(scalar: Scalar) -> bytes:
    """The bytes that quoted text stands for: escapes undone, adjacent literals joined.

    Raises ValueError for an escape that is none.
    """
    return b"".join(_unescape(each.group()[1:-1]) for each in _STRING.finditer(scalar.text))


def _unescape(text: str) -> bytes:
    return b"".join(
        _escaped(part[1:]) if part[0] == "\\" else part.encode("utf-8", "surrogatepass")
        for part in _ESCAPE_OR_TEXT.findall(text)
    )


def _escaped(code: str) -> bytes:
    if code in _ESCAPES:
        return _ESCAPES[code]
    if code[0] in "uU" and len(code) > 1:
        return chr(int(code[1:], 16)).encode()
    if code[0] in "xX" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[0] in "01234567":
        return bytes([int(code, 8)])
    raise ValueError(f"\\{code} is no escape")


_ESCAPES: Final = {
    **dict(zip("abfnrtv", (b"\a", b"\b", b"\f", b"\n", b"\r", b"\t", b"\v"), strict=True)),
    **{mark: mark.encode() for mark in "\\'\"?"},
}
_ESCAPE_OR_TEXT: Final = re.compile(
    r"\\(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|[^\\]+", re.DOTALL
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_TOKEN = re.compile(
    r"""
    (?P<space>   [ \t\r\n\v\f\ufeff]+ )
  | (?P<comment> \#[^\n]* )
  | (?P<string>  "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
  | (?P<number>  0[xX][0-9a-fA-F]+ | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]? )
  | (?P<word>    [A-Za-z_][A-Za-z0-9_]* )
  | (?P<mark>    [\[\]{}<>:;,./%-] )
    """,
    re.VERBOSE,
)
_CLOSING = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return "the end of the text" if self.kind == "end" else f"'{self.text}'"


class _Tokens:
    """All tokens of a text, and its comments."""

    def __init__(self, source: Source) -> None:
        self.comments: list[tuple[str, int]] = []
        self.tokens = [*self._scan(source)]
        end = len(source.text)
        self.tokens.append(_Token("end", "", end, end))

    def _scan(self, source: Source) -> Iterator[_Token]:
        text, offset = source.text, 0
        while offset < len(text):
            match = _TOKEN.match(text, offset)
            if match is None:
                raise _syntax_error(source, offset, _what_is_wrong_with(text[offset]))
            kind = match.lastgroup or ""
            if kind == "comment":
                self.comments.append((match.group()[1:].strip(), offset))
            elif kind != "space":
                if kind == "number" and text[match.end() : match.end() + 1].isidentifier():
                    raise _syntax_error(source, match.end(), "a number is followed by a letter")
                yield _Token(kind, match.group(), offset, match.end())
            offset = match.end()


class _Parser:
    def __init__(self, source: Source, tokens: _Tokens) -> None:
        self._source = source
        self._tokens = tokens.tokens
        self._at = 0

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _accept(self, marks: str) -> _Token | None:
        token = self._token
        return self._take() if token.kind == "mark" and token.text in marks else None

    def _error(self, message: str, at: int | None = None) -> GraphError:
        return _syntax_error(self._source, self._token.start if at is None else at, message)

    def block(self, closing: str | None, depth: int, opened: int = 0) -> Block:
        """The fields up to the closing bracket, or to the end of the text."""
        start = self._tokens[self._at - 1].end if closing else 0
        if depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} messages inside one another", opened)
        fields: list[Field] = []
        while True:
            token = self._token
            if closing and self._accept(closing):
                return Block(tuple(fields), start, token.start)
            if token.kind == "end":
                if closing is None:
                    return Block(tuple(fields), start, token.start)
                line = self._source.location(opened).line
                raise self._error(
                    f"found the end of the text, expected '{closing}' (opened in line {line})"
                )
            fields.append(self._field(depth))

    def _field(self, depth: int) -> Field:
        start = self._token.start
        name, form = self._name()
        colon = self._accept(":")
        if self._accept("["):
            values, starts = self._list(name, colon is not None, depth)
            is_list = True
        else:
            starts = (self._token.start,)
            values, is_list = (self._value(name, colon is not None, depth),), False
        end = self._tokens[self._at - 1].end
        self._accept(",;")
        return Field(name, form, values, is_list, start, end, starts)

    def _name(self) -> tuple[str, Form]:
        bracket = self._accept("[")
        if bracket is None:
            token = self._token
            if token.kind != "word":
                raise self._error(f"found {token}, expected the name of a field")
            return self._take().text, Form.PLAIN
        parts: list[str] = []
        while not self._accept("]"):
            if self._token.kind == "end" or self._token.text in ("{", "}"):
                raise self._error(f"found {self._token}, expected ']'")
            parts.append(self._take().text)
        name = "".join(parts)
        if not re.fullmatch(r"(?:[^/\[\]\"']+/)*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", name):
            raise self._error(
                f"'[{name}]' names no type, expected [host/package.Type] or [package.Type.ext]",
                bracket.start,
            )
        return name, Form.ANY if "/" in name else Form.EXTENSION

    def _value(self, name: str, colon: bool, depth: int) -> Scalar | Block:
        opening = self._accept("{<")
        if opening:
            return self.block(_CLOSING[opening.text], depth + 1, opening.start)
        if not colon:
            raise self._error(f"found {self._token} after '{name}', expected ':' or '{{'")
        return self._scalar(name)

    def _list(
        self, name: str, colon: bool, depth: int
    ) -> tuple[tuple[Scalar | Block, ...], tuple[int, ...]]:
        values: list[Scalar | Block] = []
        starts: list[int] = []
        if self._accept("]"):
            return (), ()
        while True:
            starts.append(self._token.start)
            values.append(self._value(name, colon, depth))
            if self._accept("]"):
                return tuple(values), tuple(starts)
            if not self._accept(","):
                raise self._error(
                    f"found {self._token} in the list of '{name}', expected ',' or ']'"
                )

    def _scalar(self, name: str) -> Scalar:
        first = self._token
        if first.kind == "string":
            while self._token.kind == "string":
                last = self._take()
            return Scalar("string", self._source.text[first.start : last.end], first.start)
        sign = "-" if self._accept("-") else ""
        token = self._token
        if token.kind not in ("number", "word"):
            raise self._error(f"found {token}, expected a value for '{name}'")
        self._take()
        kind: Literal["number", "word"] = "number" if token.kind == "number" else "word"
        return Scalar(kind, sign + token.text, first.start)


def _what_is_wrong_with(character: str) -> str:
    if character in "\"'":
        return f"the string that starts here with {character} has no end in its line"
    return f"found {character!r}, which has no meaning outside a string"


def _syntax_error(source: Source, offset: int, message: str) -> GraphError:
    return GraphError([Problem(source.location(offset), message)])

"""An OpenAPI document as one page of HTML: no scripts, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any, Final

import orjson

Schema = Mapping[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; width: 3.5rem; }
summary span { float: right; opacity: .7; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .6rem; border-radius: .3rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border-top: 1px solid var(--line); padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; }
"""


def page(document: Mapping[str, Any], url: str) -> str:
    """The document for people; `url` is where its examples find the server."""
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f"<h1>{escape(title)}</h1><p>{_prose(info['description'])}</p>",
            "<p>The same for programs: <a href=openapi.json>openapi.json</a></p>",
            *_sections(document, url),
            "</html>",
        ]
    )


def _sections(document: Mapping[str, Any], url: str) -> Iterator[str]:
    calls = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    calls.sort(key=_tag)
    schemas = document["components"]["schemas"]
    for tag, group in groupby(calls, _tag):
        yield f"<h2>{escape(tag)}</h2>"
        for method, path, operation in group:
            yield from _operation(method.upper(), path, operation, schemas, url)


def _tag(call: tuple[str, str, Mapping[str, Any]]) -> str:
    tag: str = call[2]["tags"][0]
    return tag


def _operation(
    method: str, path: str, operation: Schema, schemas: Mapping[str, Schema], url: str
) -> Iterator[str]:
    yield (
        f"<details id={operation['operationId']}><summary><b>{method}</b>"
        f"<code>{escape(path)}</code><span>{escape(operation['summary'])}</span></summary>"
    )
    body = operation.get("requestBody")
    if body is not None:
        content = body["content"]["application/json"]
        yield from _members("Request", content["schema"], schemas)
        for example in content.get("examples", {}).values():
            yield f"<pre>{escape(_curl(url + path, example['value']))}</pre>"
    answers = operation["responses"]
    media_type, answer = next(iter(answers["200"]["content"].items()))
    title = "Answer" if media_type == "application/json" else f"Answer ({media_type})"
    yield from _members(title, answer["schema"], schemas)
    errors = ", ".join(
        f"{status} {answer['description']}" for status, answer in answers.items() if status != "200"
    )
    yield f"<p>Errors: {escape(errors)}.</p></details>"


def _members(title: str, schema: Schema, schemas: Mapping[str, Schema]) -> Iterator[str]:
    resolved = _resolved(schema, schemas)
    yield f"<h4>{title}</h4>"
    if "description" in resolved:
        yield f"<p>{_prose(resolved['description'])}</p>"
    if "properties" not in resolved:
        yield f"<p><code>{escape(_kind(resolved, schemas))}</code></p>"
        return
    yield "<table>"
    required = resolved.get("required", ())
    for name, member in resolved["properties"].items():
        must = "<br><small>required</small>" if title == "Request" and name in required else ""
        yield (
            f"<tr><td><code>{escape(name)}</code>{must}"
            f"<td><code>{escape(_kind(member, schemas))}</code>"
            f"<td>{_prose(member.get('description', ''))}"
        )
    yield "</table>"


def _kind(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """A schema in a few words: `array of integer | null`."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(one, schemas) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(orjson.dumps(value).decode() for value in schema["enum"])
    if "properties" in schema:
        inside = (f"{name}: {_kind(m, schemas)}" for name, m in schema["properties"].items())
        return f"{{{', '.join(inside)}}}"
    kind = schema.get("type", "any")
    if kind == "array":
        items = _kind(schema.get("items", {}), schemas)
        return f"array of ({items})" if " | " in items else f"array of {items}"
    if "maximum" in schema and schema["maximum"] < 2**53:
        return f"{schema.get('minimum', '')}..{schema['maximum']}"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    if "$ref" not in schema:
        return schema
    return schemas[schema["$ref"].rpartition("/")[2]]


def _curl(url: str, body: Any) -> str:
    return f"curl {url.replace('{', '$').replace('}', '')} -d '{orjson.dumps(body).decode()}'"


def _prose(text: str) -> str:
    """Escaped, with `code` marked."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))

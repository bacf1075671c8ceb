"""The OpenAPI document tells of every endpoint, and of no other."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.observation.observation import Observation
from calcgraph.servers.repository.repository import Repository
from calcgraph.servers.rest.config_status import ConfigStatus
from calcgraph.servers.rest.kserve import KServe
from calcgraph.servers.rest.metrics import Metrics
from calcgraph.servers.rest.openai import OpenAI
from calcgraph.servers.rest.operations import Operation, operations
from calcgraph.servers.rest.router import ANY

OPERATIONS = [pytest.param(one, id=f"{one.method} {one.path}") for one in operations()]


@pytest.fixture(scope="module")
def document(served: Any) -> Any:
    answer = served.call("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def called(served: Any, operation: Operation) -> Any:
    """What an operation's own example is answered with, by the model `echo`."""
    path = operation.path.replace("{model}", "echo").replace("{version}", "1")
    if operation.request is None:
        return served.call(operation.method, path)
    return served.call(operation.method, path, '{"model": "gone", "inputs": []}')


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_documented_is_served_with_a_documented_status(
    served: Any, document: Any, operation: Operation
) -> None:
    answer = called(served, operation)
    described = document["paths"][operation.path][operation.method.lower()]
    assert str(answer.status) in described["responses"]
    assert b"Unknown URL" not in answer.body


def test_what_is_served_is_documented() -> None:
    plane = DataPlane(Repository())
    documented = {
        (method, re.sub(r"\{.*", "", operation.path))
        for operation in operations()
        for method in (operation.method, ANY)
    }
    for dialect in (
        OpenAI(plane),
        KServe(plane, ()),
        ConfigStatus(plane),
        Metrics(plane, Observation(plane)),
    ):
        for route in dialect.routes():
            assert (route.method, route.path) in documented


def test_every_reference_leads_to_a_component(document: Any) -> None:
    components = document["components"]["schemas"]
    found = set(references(document))
    assert found
    assert {ref.removeprefix("#/components/schemas/") for ref in found} <= components.keys()


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for member in value.values():
                yield from references(member)
        case list():
            for member in value:
                yield from references(member)


def test_names_of_operations_are_unique(document: Any) -> None:
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(set(names)) == len(names)


def test_the_served_models_and_their_longest_vector_are_named(document: Any) -> None:
    components = document["components"]["schemas"]
    assert {"echo", "ns/echo", "unready"} <= set(components["ModelName"]["enum"])
    assert components["Dimensions"]["maximum"] == 2


def test_errors_have_the_shape_of_their_protocol(document: Any) -> None:
    def shape(path: str) -> str:
        answers = document["paths"][path]["post"]["responses"]
        ref: str = answers["400"]["content"]["application/json"]["schema"]["$ref"]
        return ref.rpartition("/")[2]

    assert shape("/v3/embeddings") == shape("/v2/rerank") == "OpenAIFailure"
    assert shape("/v2/models/{model}/infer") == "KServeFailure"


class Tags(HTMLParser):
    """Which tags a page has, and which addresses they name."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_for_people_shows_every_endpoint_and_fetches_nothing(
    served: Any, document: Any
) -> None:
    answer = served.call("GET", "/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.body.decode()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
    tags = Tags()
    tags.feed(page)
    assert tags.addresses == ["openapi.json"]
    assert not tags.names & {"script", "link", "img", "iframe"}
    assert len(answer.body) < 100_000

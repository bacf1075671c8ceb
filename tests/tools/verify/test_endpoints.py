"""Servers that answer wrong: the real one behind a proxy that does what was seen in others."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from calcgraph.tools.verify.serving import served

Tamper = Callable[[dict[str, Any], list[np.ndarray]], list[Any]]
"""From a request and its right vectors to what is answered in their place."""


@pytest.fixture(scope="session")
def address(right: Path) -> Iterator[str]:
    with served(right, right / "graph.pbtxt", "tiny") as address:
        yield address


@contextmanager
def tampering(address: str, tamper: Tamper) -> Iterator[str]:
    """The address of a server that changes the vectors of another."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes | None) -> None:
            try:
                with urlopen(Request(f"{address}{self.path}", body)) as answer:
                    status, content = 200, answer.read()
            except HTTPError as error:
                status, content = error.code, error.read()
            if status == 200 and body and self.path.endswith("/embeddings"):
                content = changed(json.loads(body), json.loads(content))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    def changed(request: dict[str, Any], answer: dict[str, Any]) -> bytes:
        rows = [item["embedding"] for item in answer["data"]]
        coded = isinstance(rows[0], str)
        vectors = [
            np.frombuffer(base64.b64decode(row), "<f4") if coded else np.array(row, np.float32)
            for row in rows
        ]
        for item, row in zip(answer["data"], tamper(request, vectors), strict=True):
            if isinstance(row, np.ndarray) and coded:
                row = base64.b64encode(row.astype("<f4").tobytes()).decode()
            item["embedding"] = row.tolist() if isinstance(row, np.ndarray) else row
        return json.dumps(answer).encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v3"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def not_normalized_after_the_cut(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return [row * 0.7 for row in rows] if "dimensions" in request else rows


def dimensions_ignored(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return [np.tile(row, 2) for row in rows] if "dimensions" in request else rows


def base64_ignored(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return [row.tolist() for row in rows]


def base64_of_halves(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    coded = request.get("encoding_format") == "base64"
    return [base64.b64encode(r.astype("<f2").tobytes()).decode() for r in rows] if coded else rows


def neighbours_leak(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return rows[::-1]


def long_neighbours_leak(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return rows[::-1] if len(rows) == 2 else rows


def ids_are_other_texts(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return rows[::-1] if isinstance(request["input"][0], list) else rows


def not_a_number(request: dict[str, Any], rows: list[np.ndarray]) -> list[Any]:
    return [np.where(np.arange(len(row)) == 0, np.nan, row) for row in rows]


@pytest.mark.parametrize(
    ("tamper", "check"),
    [
        (not_normalized_after_the_cut, "dimensions"),
        (dimensions_ignored, "dimensions"),
        (base64_ignored, "base64"),
        (base64_of_halves, "base64"),
        (neighbours_leak, "batch"),
        (long_neighbours_leak, "padding side"),
        (ids_are_other_texts, "token ids as input"),
        (not_a_number, "NaN"),
    ],
)
def test_a_server_that_answers_wrong_is_found_out(
    address: str, published: Path, verify: Callable, tamper: Tamper, check: str
) -> None:
    with tampering(address, tamper) as url:
        table = verify("tiny", "--service_url", url, "--reference", published)
    assert table.status == 1
    assert check in table.failed, table.text


def test_a_server_that_is_right_passes(address: str, published: Path, verify: Callable) -> None:
    with tampering(address, lambda request, rows: rows) as url:
        table = verify("tiny", "--service_url", url, "--reference", published)
    assert table.failed == [], table.text

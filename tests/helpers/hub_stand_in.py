"""A stand-in for the Hugging Face hub on 127.0.0.1: what its client asks for, and how a hub misbehaves.

    python tests/helpers/hub_stand_in.py FOLDER [PORT]

serves every FOLDER/ORGANISATION/MODEL; HF_ENDPOINT, which it prints, leads the client to it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LARGE = (".safetensors", ".bin", ".onnx", ".onnx_data")  # stored by sha256, as by git LFS
_INFO = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)(/revision/(?P<revision>[^/]+))?")
_TREE = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)")
_FILE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@dataclass
class Hub:
    """What the hub has, how it misbehaves, and what it was asked."""

    url: str = ""
    commits: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    refs: dict[tuple[str, str], str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"hf_right"})
    private: set[str] = field(default_factory=set)  # opened by a right token
    gated: set[str] = field(default_factory=set)  # opened by no token
    broken: dict[str, list[int]] = field(
        default_factory=dict
    )  # file: bytes a request, then cut off
    damaged: dict[str, bytes] = field(default_factory=dict)  # file: what arrives in its place
    stalled: dict[str, int] = field(default_factory=dict)  # file: bytes before `go_on` is set
    go_on: threading.Event = field(default_factory=threading.Event)
    downloads: list[tuple[str, str | None]] = field(default_factory=list)  # file and range

    def publish(self, name: str, folder: Path, revision: str = "main") -> str:
        """Commit a folder under a name and a revision; the commit."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        digest = hashlib.sha1()
        for path, content in files.items():
            digest.update(path.encode() + content)
        commit = digest.hexdigest()
        self.commits[name, commit] = files
        self.refs[name, revision] = commit
        return commit


def _hash(path: str, content: bytes) -> str:
    if path.endswith(_LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        for pattern, answer in ((_FILE, self._file), (_TREE, self._tree), (_INFO, self._info)):
            if found := pattern.fullmatch(path):
                parts = found.groupdict()
                commit = self._commit(parts["name"], parts["revision"] or "main")
                if commit:
                    answer(parts["name"], commit, parts.get("path") or "")
                return
        self._refuse(404, "RepoNotFound")

    def _commit(self, name: str, revision: str) -> str | None:
        """The commit that is asked for; None when the answer was given."""
        hub = self.hub
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        known = any(each == name for each, _ in hub.commits)
        if token and token not in hub.tokens:
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif not known or (name in hub.private and not token):
            self._refuse(404 if token else 401, "RepoNotFound")
        elif name in hub.gated and not self.path.startswith("/api/"):
            self._refuse(403, "GatedRepo")
        else:
            commit = hub.refs.get((name, revision), revision)
            if (name, commit) in hub.commits:
                return commit
            self._refuse(404, "RevisionNotFound")
        return None

    def _info(self, name: str, commit: str, _: str) -> None:
        siblings = [{"rfilename": path} for path in self.hub.commits[name, commit]]
        self._send_json({"id": name, "modelId": name, "sha": commit, "siblings": siblings})

    def _tree(self, name: str, commit: str, _: str) -> None:
        entries = []
        for path, content in self.hub.commits[name, commit].items():
            entry: dict[str, object] = {"type": "file", "path": path, "size": len(content)}
            entry["oid"] = hashlib.sha1(content).hexdigest()
            if path.endswith(_LARGE):
                entry["lfs"] = {
                    "oid": _hash(path, content),
                    "size": len(content),
                    "pointerSize": 134,
                }
            entries.append(entry)
        self._send_json(entries)

    def _file(self, name: str, commit: str, path: str) -> None:
        content = self.hub.commits[name, commit].get(path)
        if content is None:
            return self._refuse(404, "EntryNotFound", commit=commit)
        wanted = self.headers["Range"]
        start = int((wanted or "bytes=0-").removeprefix("bytes=").split("-")[0])
        body = self.hub.damaged.get(path, content)[start:]
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{_hash(path, content)}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.hub.downloads.append((path, wanted))
            self._send_body(path, body)

    def _send_body(self, path: str, body: bytes) -> None:
        hub = self.hub
        if hub.broken.get(path):
            self.wfile.write(body[: hub.broken[path].pop(0)])
            self.close_connection = True
        elif path in hub.stalled and not hub.go_on.is_set():
            self.wfile.write(body[: hub.stalled[path]])
            assert hub.go_on.wait(60)
            self.wfile.write(body[hub.stalled[path] :])
        else:
            self.wfile.write(body)

    def _send_json(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str = "", message: str = "", commit: str = "") -> None:
        self.send_response(status)
        for name, value in (
            ("X-Error-Code", code),
            ("X-Error-Message", message),
            ("X-Repo-Commit", commit),
        ):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # a client that was killed


@contextmanager
def serving(port: int = 0) -> Iterator[Hub]:
    """An empty hub that answers until the block is left."""
    hub = Hub()
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main(folder: Path, port: int = 0) -> None:
    with serving(port) as hub:
        for repository in sorted(path for path in folder.glob("*/*") if path.is_dir()):
            hub.publish(repository.relative_to(folder).as_posix(), repository)
        print(f"HF_ENDPOINT={hub.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))

"""What a request names is looked up in tables: it opens no file, imports nothing, starts no process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import orjson
import pytest

from calcgraph.proto import inference_pb2 as pb

EVENTS = (
    "open",
    "import",
    "exec",
    "compile",
    "os.",
    "subprocess.",
    "ctypes.",
    "shutil.",
    "pickle.",
)
NAMES = [
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "echo/../../secret",
    "os.system",
    "__import__('os')",
    "calcgraph.servers:main",
    "{0.__class__}",
    "echo\0",
]

_events: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is not None and event.startswith(EVENTS):
        _events.append(f"{event} {arguments}"[:300])


@pytest.fixture(scope="module", autouse=True)
def hook(served: Any, stub: Any) -> None:
    """Python cannot take a hook away again; outside of `watched` it does nothing."""
    for name in ("echo", "gone"):  # what the first requests import
        ask_rest(served, name)
        ask_grpc(stub, name)
    sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What the interpreter does meanwhile that reaches out of it."""
    global _events
    events = _events = []
    try:
        yield events
    finally:
        _events = None


def ask_rest(served: Any, name: str) -> None:
    body = orjson.dumps({"model": name, "input": name, "user": name, "prompt_name": name})
    served.call("POST", "/v3/embeddings", body, x_client_id="a", x_priority="bulk")
    tensor = {"name": name, "datatype": "BYTES", "shape": [1], "data": [name]}
    call = orjson.dumps({"id": name, "inputs": [tensor], "parameters": {name.strip("\0"): name}})
    path = "".join(f"%{byte:02x}" for byte in name.encode())
    served.call("POST", f"/v2/models/{path}/infer", call)
    served.call("GET", f"/v3/models/{path}")
    served.call("GET", f"/{path}")


def ask_grpc(stub: Any, name: str) -> None:
    message = pb.ModelInferRequest(model_name=name, id=name, raw_input_contents=[b""])
    message.inputs.add(name=name, datatype=name, shape=[1])
    for call, request in (
        (stub.ModelInfer, message),
        (stub.ModelMetadata, pb.ModelMetadataRequest(name=name, version=name)),
    ):
        with pytest.raises(grpc.RpcError):
            call(request, timeout=10)
            raise grpc.RpcError  # "echo" has metadata, of any version that is a number


def test_the_interpreter_tells_of_what_it_does() -> None:
    with watched() as events, open(__file__):
        pass
    assert any(event.startswith("open") for event in events)


@pytest.mark.parametrize("name", NAMES)
def test_a_request_reaches_neither_files_nor_code(served: Any, stub: Any, name: str) -> None:
    with watched() as events:
        ask_rest(served, name)
        ask_grpc(stub, name)
    assert events == []

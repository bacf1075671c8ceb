"""The example of Python nodes in the real server, with its own client, and handlers that fail."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

EXAMPLE = ROOT / "examples" / "python_nodes"
WORDS = Path(__file__).parent / "clients" / "triton_words.py"


@pytest.fixture(scope="module")
def example(start: Callable[..., Any]) -> Any:
    return start("--config_path", EXAMPLE / "config.json", "--rest_port", "0", "--port", "0")


def ask(server: Any, model: str, **tensor: Any) -> tuple[int, Any]:
    return server.post(f"/v2/models/{model}/infer", {"inputs": [tensor]})  # type: ignore[no-any-return]


def test_the_example_s_client_gets_its_answers_and_its_stream(
    example: Any, client_python: Callable[[str, Sequence[str]], Path]
) -> None:
    python = client_python("tritonclient", ["tritonclient[grpc,http]"])
    command = [python, EXAMPLE / "client.py", example.grpc]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.stderr}\n{example.log}"
    lines = done.stdout.splitlines()
    assert lines == ["['hello world', 'fine text']", "one", "word", "after", "the", "other"]


def test_a_stream_answers_every_request_and_ends_with_a_handler_s_error(
    example: Any, client_python: Callable[[str, Sequence[str]], Path]
) -> None:
    python = client_python("tritonclient", ["tritonclient[grpc,http]"])
    streams = [[b"a b", b"c", b"d e f"], [b"\xff"], [b"still here"]]
    question = {"grpc": example.grpc, "streams": [[list(text) for text in s] for s in streams]}
    done = subprocess.run(
        [python, WORDS], input=json.dumps(question), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{done.stderr}\n{example.log}"
    several, failed, after = json.loads(done.stdout)
    assert several == ["a", "b", "c", "d", "e", "f"]
    ((status, message),) = failed
    assert status == "StatusCode.INTERNAL"
    assert message.startswith("The Python node 'words' failed: UnicodeDecodeError: ")
    assert after == ["still", "here"]


def test_texts_travel_as_json_too(example: Any) -> None:
    texts = ["  a  b ", "ünï\n"]
    status, answer = ask(example, "tidy", name="texts", shape=[2], datatype="BYTES", data=texts)
    assert status == 200, answer
    (output,) = answer["outputs"]
    assert (output["name"], output["datatype"]) == ("tidy", "BYTES")
    assert output["data"] == ["a b", "ünï"]


def test_a_handler_that_fails_answers_with_its_reason_and_serves_on(example: Any) -> None:
    wrong = {"name": "texts", "shape": [1], "datatype": "INT8", "data": [1]}
    status, answer = ask(example, "tidy", **wrong)
    assert status == 500
    assert answer["error"].startswith("The Python node 'tidy' failed: error: unpack_from requires")
    assert "model.py: node 'tidy' failed\nTraceback" in example.log.replace(str(EXAMPLE), "")
    right = {"name": "texts", "shape": [1], "datatype": "BYTES", "data": [" x "]}
    assert ask(example, "tidy", **right)[0] == 200


def test_a_handler_outside_of_the_model_s_folder_is_not_run(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "elsewhere.py").write_text("raise SystemExit('it ran')")
    graph = (EXAMPLE / "tidy" / "graph.pbtxt").read_text().replace("model.py", "../elsewhere.py")
    (tmp_path / "model" / "graph.pbtxt").write_text(graph)
    flags = ["--model_name", "m", "--model_path", tmp_path / "model", "--rest_port", "0"]
    assert "lies outside of the model's folder" in refusal(*flags)

"""Models of one node that answers with a word from its graph, and is held up where a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calcgraph.runtime.payload import HttpRequest
from calcgraph.runtime.registry import REGISTRY
from calcgraph.servers.data_plane import DataPlane
from calcgraph.servers.model_config import ModelEntry

GRAPH = """
input_stream: "REQUEST:request"
output_stream: "RESPONSE:response"
node {{
  calculator: "Word"
  input_stream: "REQUEST:request"
  output_stream: "RESPONSE:response"
  node_options {{ [type.googleapis.com/google.protobuf.Struct] {{
    fields {{ key: "word" value {{ string_value: "{}" }} }}
  }} }}
}}
"""


@dataclass(frozen=True)
class Folder:
    """A model's folder, whose graph a test rewrites."""

    path: Path

    @property
    def graph(self) -> Path:
        return self.path / "graph.pbtxt"

    @property
    def entry(self) -> ModelEntry:
        return ModelEntry(self.path.name, self.path, self.graph)

    def says(self, word: str) -> None:
        """Another model from now on. The word "broken" does not load."""
        self.graph.write_text(GRAPH.format(word))


@dataclass(frozen=True)
class Config:
    """A config.json that a test rewrites."""

    file: Path

    def names(self, *folders: Folder, **keys: Any) -> None:
        """Serve these; the keys are those of every model."""
        models = [{"name": each.path.name, "base_path": each.path.name, **keys} for each in folders]
        self.writes(json.dumps({"model_config_list": [{"config": model} for model in models]}))

    def writes(self, text: str) -> None:
        self.file.write_text(text)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "config.json")


@pytest.fixture(scope="session")
def word() -> Any:
    """The calculator of word.py, registered as `--calculators` does."""
    REGISTRY.load_file(Path(__file__).parent / "word.py")
    found = REGISTRY.find("Word")
    assert found is not None
    return found.load()


@pytest.fixture
def folder(word: Any, tmp_path: Path) -> Callable[[str, str], Folder]:
    """A model's folder by its name, and the word that it says."""

    def make(name: str, says: str) -> Folder:
        path = tmp_path / name
        path.mkdir()
        made = Folder(path)
        made.says(says)
        return made

    return make


@pytest.fixture
def ask() -> Callable[..., Any]:
    """What a model says, or does when the body tells it to."""

    async def infer(plane: DataPlane, name: str, **body: Any) -> str:
        answer = await plane.answer(name, HttpRequest("/v3/embeddings", body))
        return answer.body.decode()

    return infer

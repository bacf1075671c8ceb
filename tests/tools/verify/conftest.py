"""A miniature that is served right, and ways to make it wrong."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from calcgraph.servers.command_line import FlagParser
from calcgraph.tools import pull
from calcgraph.tools.verify import command

BERT = Path(__file__).parents[2] / "data" / "encoders" / "bert"


@dataclass(frozen=True)
class Table:
    """What the command printed, and its exit status."""

    status: int
    text: str

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        last = self.text.strip().splitlines()[-1]
        return last.removeprefix("[FAILED] ").split(", ") if last.startswith("[FAILED]") else []


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature as sentence-transformers would publish it, with prompts."""
    folder = shutil.copytree(BERT, tmp_path_factory.mktemp("published") / "tiny")
    prompts = {"prompts": {"query": "the cat: ", "document": ""}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    if kinds.count("Normalize") == 1:
        (folder / "modules.json").write_text(json.dumps(modules))
    return folder


@pytest.fixture(scope="session")
def right(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature, pulled."""
    repository = tmp_path_factory.mktemp("right")
    parser = FlagParser("calcgraph pull")
    pull.add_arguments(parser)
    flags = ["--source_model", str(published), "--model_repository_path", str(repository)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "transformers", None)  # converting its tokenizer takes a while
        assert pull.run(parser.parse_args(flags)) == 0
    graph = repository / "tiny" / "graph.pbtxt"
    # Its weights are random: what is wrong differs from what is right by less than bf16 rounds.
    exact = graph.read_text().replace("'{}'", """'{"INFERENCE_PRECISION_HINT": "f32"}'""")
    graph.write_text(exact)
    return repository / "tiny"


@pytest.fixture
def model(right: Path, tmp_path: Path) -> Path:
    """A copy of it, to be made wrong."""
    return shutil.copytree(right, tmp_path / "tiny")


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., Table]:
    """Run the command."""

    def run(*arguments: str | Path) -> Table:
        parser = FlagParser("calcgraph verify")
        command.add_arguments(parser)
        status = command.run(parser.parse_args([str(argument) for argument in arguments]))
        return Table(status, capsys.readouterr().out)

    return run

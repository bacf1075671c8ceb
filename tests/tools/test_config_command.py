"""`calcgraph config`, and OVMS's flags for the same."""

import json
import os
from pathlib import Path

import pytest

from calcgraph.servers.__main__ import main


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A model with a graph, one of an organisation, one without a graph, and what is none."""
    for name in ("one", "org/two"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "graph.pbtxt").touch()
    (tmp_path / "plain" / "1").mkdir(parents=True)
    (tmp_path / "plain" / "1" / "model.xml").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / ".one.preparing" / "folder").mkdir(parents=True)
    (tmp_path / ".one.preparing" / "folder" / "graph.pbtxt").touch()
    return tmp_path


def listed(repository: Path) -> list[tuple[str, str]]:
    config = json.loads((repository / "config.json").read_text())
    models = [item["config"] for item in config["model_config_list"]]
    return [(model["name"], model["base_path"]) for model in models]


@pytest.mark.parametrize(
    ("add", "remove"),
    [(["config", "add"], ["config", "remove"]), (["--add_to_config"], ["--remove_from_config"])],
)
def test_models_are_added_and_removed(repository: Path, add: list[str], remove: list[str]) -> None:
    config = ["--config_path", str(repository / "config.json")]
    path = ["--model_path", "org/two"]
    assert main([*add, *config, "--model_name", "org/two", *path]) == 0
    assert main([*add, *config, "--model_name", "second", *path]) == 0
    assert listed(repository) == [("org/two", "org/two"), ("second", "org/two")]
    assert main([*remove, *config, "--model_name", "org/two"]) == 0
    assert listed(repository) == [("second", "org/two")]


def test_the_repository_may_be_named_instead(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = ["--model_repository_path", str(repository)]
    assert main(["--add_to_config", "--model_name", "one", *flag]) == 0
    monkeypatch.setenv("OVMS_MODEL_REPOSITORY_PATH", str(repository))
    assert main(["--add_to_config", "--model_name", "plain"]) == 0
    assert listed(repository) == [("one", "one"), ("plain", "plain")]


@pytest.mark.parametrize("deed", [["config", "list"], ["--list_models"]])
def test_the_models_of_a_repository_are_listed_as_ovms_lists_them(
    repository: Path, deed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*deed, "--model_repository_path", str(repository)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Available servable models from repository: {repository}",
        "one",
        "org/two",
        "plain",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("config add --model_name ../one", "expected a name, found the path ../one"),
        ("config add --model_name gone", "no model in {}/gone: expected graph.pbtxt"),
        ("config add --model_name m --model_path empty", "no model in {}/empty"),
        ("config remove --model_name one", "config.json: there is no such file"),
        ("config list --model_repository_path {}/gone", "there is no folder {}/gone"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    repository: Path, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = arguments.format(repository).split()
    if "list" not in flags:
        flags += ["--config_path", str(repository / "config.json")]
    assert main(flags) == 1
    assert message.format(repository) in capsys.readouterr().err
    assert not (repository / "config.json").exists()


def test_what_is_not_listed_cannot_be_removed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config_path", str(repository / "config.json")]
    main(["config", "add", "--model_name", "one", *config])
    assert main(["config", "remove", "--model_name", "two", *config]) == 1
    assert "config.json does not name two" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_folder_that_cannot_be_written_is_told(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.chmod(0o555)
    config = ["--config_path", str(repository / "config.json")]
    assert main(["config", "add", "--model_name", "one", *config]) == 1
    assert "cannot be written" in capsys.readouterr().err

"""OVMS's config.json: what is read, and how a mistake is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from calcgraph.servers.model_config import ConfigError, ModelEntry, read_config, single_model
from calcgraph.servers.plain_models import PlainModel, plain_model


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two models with a graph, one of them in a folder with a slash, and one plain model."""
    for name in ("one", "ns/two"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "graph.pbtxt").touch()
    (tmp_path / "one" / "other.pbtxt").touch()
    (tmp_path / "plain" / "1").mkdir(parents=True)
    (tmp_path / "plain" / "1" / "model.xml").touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def read(repository: Path, config: Any) -> list[ModelEntry]:
    file = repository / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    return list(read_config(file))


def models(*configs: dict[str, Any]) -> dict[str, Any]:
    return {"model_config_list": [{"config": config} for config in configs]}


def test_models_are_found_relative_to_the_configuration(repository: Path) -> None:
    assert read(repository, models({"name": "a", "base_path": "ns/two"})) == [
        ModelEntry("a", repository / "ns/two", repository / "ns/two/graph.pbtxt")
    ]


def test_an_absolute_path_is_taken_as_it_is(repository: Path) -> None:
    (found,) = read(repository, models({"name": "a", "base_path": str(repository / "one")}))
    assert found.base_path == repository / "one"


def test_the_folder_is_named_as_the_model_unless_the_configuration_says_otherwise(
    repository: Path,
) -> None:
    (found,) = read(repository, {"mediapipe_config_list": [{"name": "ns/two"}]})
    assert found == ModelEntry("ns/two", repository / "ns/two", repository / "ns/two/graph.pbtxt")


def test_the_graph_may_have_another_name(repository: Path) -> None:
    config = {"name": "a", "base_path": "one", "graph_path": "other.pbtxt"}
    assert read(repository, models(config))[0].graph_file == repository / "one/other.pbtxt"
    absolute = {"name": "a", "graph_path": str(repository / "one/other.pbtxt")}
    assert read(repository, models(absolute))[0].graph_file == repository / "one/other.pbtxt"


def test_both_lists_of_ovms_are_read(repository: Path) -> None:
    config = models({"name": "one"}) | {"mediapipe_config_list": [{"name": "ns/two"}]}
    assert [entry.name for entry in read(repository, config)] == ["one", "ns/two"]


def test_a_setting_of_a_plain_model_is_ignored_with_a_warning(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(repository, models({"name": "one", "target_device": "CPU"}))
    assert "model_config_list[0].config.target_device has no effect on a graph" in caplog.text


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", r"config\.json:1:2: not JSON: Expecting property name"),
        ("[]", r"config\.json:1: expected an object, found \[\]"),
        ("[" * 100_000, "cannot be read"),
        ({}, 'expected "model_config_list"'),
        (
            {"model_confg_list": []},
            'unknown key "model_confg_list"; did you mean .model_config_list',
        ),
        ({"model_config_list": {}}, r"model_config_list: expected a list, found \{\}"),
        (
            {"model_config_list": ["one"]},
            r'model_config_list\[0\]: expected an object, found "one"',
        ),
        ({"model_config_list": [{}]}, r'model_config_list\[0\]: expected \{"config": '),
        ({"model_config_list": [{"name": "one"}]}, r'model_config_list\[0\]: unknown key "name"'),
        (models({}), r'config: expected the key "name", found an empty object'),
        (models({"base_path": "one"}), r'config: expected the key "name", found "base_path"'),
        (models({"name": ""}), r"config\.name: expected the name"),
        (models({"name": 7}), r"config\.name: expected a string, found 7"),
        (
            models({"name": "one"}, {"name": "one"}),
            "two models are named 'one'",
        ),
        (
            models({"name": "one", "base_paht": "x"}),
            r'model_config_list\[0\]\.config: unknown key "base_paht"; did you mean .base_path',
        ),
        (
            models({"name": "plain", "nireq": -1}),
            r"model_config_list\[0\]\.config\.nireq: expected a number of 0 or more, found -1",
        ),
        (models({"name": "plain", "mean": "1"}), r"config\.mean: OVMS's, and not supported"),
        (models({"name": "plain", "stateful": True}), r"config\.stateful: OVMS's, and not"),
        (models({"name": "../one"}), r"config\.name: expected a name without '\.\.'"),
        (models({"name": "one", "lazy_load": 1}), r"lazy_load: expected true or false, found 1"),
        (models({"name": "one", "keep_alive": -1}), r"keep_alive: expected seconds, 0 or more"),
        ({**models(), "idle_unload_timeout_seconds": "9"}, "expected seconds, 0 or more"),
        (
            models({"name": "one", "subconfig": "no.json"}),
            r"subconfig: there is no file \S+no\.json",
        ),
        ('{"a": 1, "a": 2}', 'the key "a" stands twice in one object'),
        (models({"name": "a", "base_path": "s3://b/m"}), r"base_path: expected a local path"),
        ({"pipeline_config_list": [{}]}, "pipeline_config_list: OVMS's pipelines are not served"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(
    repository: Path, config: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        read(repository, config)
    assert "config.json" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", r"model 'gone': its folder \S+gone does not exist"),
        ("empty", r"expected its graph in \S+empty/graph\.pbtxt"),
    ],
)
def test_a_model_that_is_not_where_it_should_be_is_the_problem_of_that_model(
    repository: Path, name: str, message: str
) -> None:
    one, other = read(repository, models({"name": "one"}, {"name": name}))
    assert one.problem is None
    assert re.search(message, str(other.problem))


def test_a_mistake_is_told_with_its_line(repository: Path) -> None:
    text = json.dumps(models({"name": "one"}, {"name": "ns/two", "base_paht": "x"}), indent=1)
    line = text[: text.index("base_paht")].count("\n") + 1
    with pytest.raises(
        ConfigError, match=rf"config\.json:{line}: model_config_list\[1\]\.config: "
    ):
        read(repository, text)


def test_a_configuration_may_name_no_model_yet(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(repository, models()) == []
    assert "names no model to serve" in caplog.text


def test_what_keeps_a_model_in_memory_is_said_for_all_or_for_one(repository: Path) -> None:
    config = models(
        {"name": "one"},
        {"name": "ns/two", "keep_alive": 5, "lazy_load": True},
        {"name": "fixed", "base_path": "one", "group_name": "permanent"},
    )
    found = read(repository, config | {"idle_unload_timeout_seconds": 60})
    assert [(each.lazy, each.keep_alive_s) for each in found] == [
        (False, 60),
        (True, 5),
        (False, 0),
    ]


def test_models_that_a_graph_uses_are_served_too(repository: Path) -> None:
    file = repository / "one" / "subconfig.json"
    file.write_text(json.dumps(models({"name": "ns/two", "base_path": "../ns/two"})))
    assert [each.name for each in read(repository, models({"name": "one"}))] == ["one", "ns/two"]
    both = models({"name": "one"}, {"name": "ns/two"})
    assert [each.name for each in read(repository, both)] == ["one", "ns/two"]
    other = models({"name": "one"}, {"name": "ns/two", "base_path": "one"})
    with pytest.raises(ConfigError, match=r"subconfig\.json:1: .*another model is named 'ns/two'"):
        read(repository, other)


def test_the_folder_of_a_configuration_stands_for_it(repository: Path) -> None:
    assert read(repository, models({"name": "one"})) == list(read_config(repository))


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.json: there is no such file"):
        read_config(tmp_path / "gone.json")


def test_a_single_model_is_a_folder_with_a_graph(repository: Path) -> None:
    found = single_model("m", repository / "one", {})
    assert (found.graph_file, found.plain) == (repository / "one/graph.pbtxt", None)
    with pytest.raises(ConfigError, match="model 'm': its folder"):
        single_model("m", repository / "gone", {})
    with pytest.raises(ConfigError, match=r"--shape is for a model without a graph; \S+ says it"):
        single_model("m", repository / "one", {"shape": "(1,3)"})


def test_a_folder_without_a_graph_is_a_plain_model(repository: Path) -> None:
    settings = {"nireq": 2, "shape": "(1,3)", "model_version_policy": {"all": {}}}
    (found,) = read(repository, models({"name": "plain", **settings}))
    assert found.plain == plain_model(settings)
    single = single_model("m", repository / "plain", {"nireq": "2"})
    assert single.plain == PlainModel(nireq=2)
    with pytest.raises(ConfigError, match="--nireq: expected a number of 0 or more"):
        single_model("m", repository / "plain", {"nireq": "x"})


def test_what_changes_no_result_of_a_plain_model_is_ignored_with_a_warning(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"name": "plain", "allow_cache": True, "stateful": False}
    assert read(repository, models(config))[0].plain == PlainModel()
    assert "config.allow_cache has no effect" in caplog.text

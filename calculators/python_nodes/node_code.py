"""The file that a Python node names: imported when the model loads, its class made and initialized."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import pyovms

log = logging.getLogger(__name__)

_CLASS: Final = "OvmsPythonModel"
_numbers: Final = itertools.count()


def code_file(handler_path: str, base_path: Path, graph_folder: Path) -> Path:
    """Where the code is, which must be in the folder of the model or of its graph: whoever may write there
    may say what the server runs. Raises ValueError.
    """
    path = Path(handler_path)
    file = path if path.is_absolute() else base_path / path
    if not any(file.resolve().is_relative_to(each.resolve()) for each in (base_path, graph_folder)):
        raise ValueError(
            f"handler_path {file} lies outside of the model's folder {base_path}; the code of a Python "
            "node is run only from there"
        )
    if not file.is_file():
        raise ValueError(f"handler_path {file}: there is no such file")
    return file


class _Source(SourceFileLoader):
    """Reads the file itself: bytecode beside it may be that of a file changed within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class NodeCode:
    """One OvmsPythonModel, shared by all graphs of the model."""

    def __init__(self, file: Path, module: ModuleType, model: Any) -> None:
        self.file = file
        self._module = module
        self._model = model

    @classmethod
    def load(
        cls, file: Path, node: str, input_names: Sequence[str], output_names: Sequence[str]
    ) -> NodeCode:
        """Raises ValueError that names the file; the log has the traceback."""
        arguments: Mapping[str, Any] = {
            "node_name": node,
            "input_names": list(input_names),
            "output_names": list(output_names),
            "base_path": str(file.parent),
        }
        try:
            module = _imported(file)
        except Exception as error:
            raise _failed(file, "cannot be imported", error) from error
        try:
            return cls(file, module, _made(file, module, arguments))
        except BaseException:
            del sys.modules[module.__name__]
            raise

    def execute(self, inputs: list[pyovms.Tensor]) -> Any:
        """A list of tensors, or a generator of such."""
        return self._model.execute(inputs)

    def close(self) -> None:
        """Let the class clean up; what it raises is logged only, since the model goes all the same."""
        try:
            if hasattr(self._model, "finalize"):
                self._model.finalize()
        except Exception:
            log.exception("%s: %s.finalize failed", self.file, _CLASS)
        sys.modules.pop(self._module.__name__, None)


def _imported(file: Path) -> ModuleType:
    """The file as a module of its own, though others of that name be loaded; modules beside it can be imported."""
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = f"{file.stem}__calcgraph_{next(_numbers)}"
    loader = _Source(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _made(file: Path, module: ModuleType, arguments: Mapping[str, Any]) -> Any:
    found = getattr(module, _CLASS, None)
    if found is None or not hasattr(found, "execute"):
        raise ValueError(f"{file}: expected a class {_CLASS} with the method execute")
    try:
        model = found()
        if hasattr(model, "initialize"):
            model.initialize(dict(arguments))
    except Exception as error:
        raise _failed(file, f"{_CLASS}.initialize failed", error) from error
    return model


def _failed(file: Path, what: str, error: Exception) -> ValueError:
    log.error("%s: %s", file, what, exc_info=error)
    return ValueError(f"{file}: {what}: {type(error).__name__}: {error}")

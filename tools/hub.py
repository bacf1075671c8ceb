"""Get a model's files from the Hugging Face hub, or from what it left in the cache.

huggingface_hub does the work and reads its own settings: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE and the
others. Files arrive in its cache, where other programs find them too; a file that was cut off by a broken
connection is continued, and files that came before the process was killed are not asked for again.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.fetch import file_sha256
from calcgraph.tools.layout import names_in, settings_among

_HUB_NAME: Final = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", re.ASCII)


def is_hub_name(name: str) -> bool:
    """Whether the hub could have a model of this name: ORGANISATION/MODEL, or MODEL for the old ones."""
    return _HUB_NAME.fullmatch(name) is not None and ".." not in name and "--" not in name


def download(
    name: str, revision: str | None, wanted: Callable[[Path, Sequence[str]], Sequence[str]]
) -> Path:
    """The folder of a model's files in the cache; its name is the commit.

    The settings come first; `wanted` then chooses the weights from the folder that holds them and the names of
    all files of the model. Raises PreparationError, and OSError from the disk.
    """
    # It takes a third of a second to import, which a pull with nothing to do should not wait for.
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()

    def get(names: Sequence[str]) -> Path:
        patterns = [glob.escape(each) for each in names]
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))

    with _explained(name, revision):
        names = _listing(name, revision)
        folder = get(settings_among(names))
        chosen = wanted(folder, names)
        folder = get([*settings_among(names), *chosen])
    for each in (*settings_among(names), *chosen):
        _require_whole(folder / each, name)
    return folder


def _listing(name: str, revision: str | None) -> Sequence[str]:
    """The names of all files of a model. Without the hub, of those that are in the cache."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        # Of the ways to ask, the one that does not try again for half a minute.
        siblings = HfApi().model_info(name, revision=revision).siblings
        return [file.rfilename for file in siblings or ()]
    except OfflineModeIsEnabled:
        # A pattern that nothing has: the folder is wanted, whatever is in it.
        cached = snapshot_download(
            name, revision=revision, local_files_only=True, allow_patterns="none"
        )
        return names_in(Path(cached))


@contextmanager
def _explained(name: str, revision: str | None) -> Iterator[None]:
    """What goes wrong with the hub, as one sentence that says what to do."""
    from huggingface_hub import constants, errors

    at = f"{name} at revision {revision}" if revision else name
    hub = constants.ENDPOINT
    try:
        yield
    except errors.GatedRepoError as error:
        raise PreparationError(
            f"{name} is a gated model: accept its licence at {hub}/{name}, then set HF_TOKEN to a token of the "
            "account that did"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise PreparationError(
            f"{hub} has {name}, but no revision {revision}: --revision takes a branch, a tag or a commit"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise PreparationError(_not_found(name, hub)) from error
    except errors.HfHubHTTPError as error:
        raise PreparationError(_refused(name, hub, error)) from error
    except errors.LocalEntryNotFoundError as error:
        raise PreparationError(
            f"{at} is not whole in the cache {constants.HF_HUB_CACHE}, and "
            + (
                "HF_HUB_OFFLINE forbids to ask the hub: unset it, or fetch the model where there is a network"
                if constants.HF_HUB_OFFLINE
                else f"{hub} cannot be reached: check the network and HF_ENDPOINT, and run it again; "
                "with HF_HUB_OFFLINE=1 the cache is used"
            )
        ) from error
    except OSError as error:
        # Consistency checks of the client are OSErrors without a number; those of the disk have one.
        if error.errno is not None:
            raise
        raise _unreachable(name, hub, error) from error
    except Exception as error:
        # The client's HTTP library is another one in each of its major versions.
        if not type(error).__module__.startswith(("httpx", "requests", "httpcore", "hf_xet")):
            raise
        raise _unreachable(name, hub, error) from error


def _not_found(name: str, hub: str) -> str:
    said = (
        "the token in HF_TOKEN does not open it"
        if os.environ.get("HF_TOKEN")
        else "or it is private and HF_TOKEN is not set"
    )
    return f"{hub} has no model {name}, {said}: check the name, and that HF_TOKEN is right"


def _refused(name: str, hub: str, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"{hub} does not accept the token in HF_TOKEN: make another one there, or unset it for a public model"
    if status == 403:
        return (
            f"{hub} does not let this account have {name} (403): use the HF_TOKEN of one that may"
        )
    if status == 429:
        return f"{hub} was asked too often (429): wait some minutes, or set HF_TOKEN, which raises the limit"
    return f"{hub} answers {status} for {name}: run it again later; HF_ENDPOINT names another hub"


def _unreachable(name: str, hub: str, error: Exception) -> PreparationError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return PreparationError(
        f"{name} did not come whole from {hub} ({said}): check the network and HF_ENDPOINT, and run it again; what "
        "has arrived is kept"
    )


def _require_whole(path: Path, name: str) -> None:
    """Raise PreparationError, and delete the file, unless its content is what the hub announced.

    The cache names a file by its hash: sha256 of large ones, git's of the others. The client looks at sizes alone.
    """
    if not path.is_symlink():
        return  # HF_HUB_DISABLE_SYMLINKS: the hash is not kept
    blob = Path(os.readlink(path))
    if len(blob.name) not in _HASHES:
        return
    found = _HASHES[len(blob.name)](path)
    if found != blob.name:
        (path.parent / blob).unlink()
        path.unlink()
        raise PreparationError(
            f"{path.name} of {name} has the hash {found}, expected was {blob.name}: it was damaged on its way or on "
            "the disk and has been deleted; run it again, and if it comes again use another HF_ENDPOINT"
        )


def _git_hash(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


# By the number of hexadecimal digits.
_HASHES: Final[Mapping[int, Callable[[Path], str]]] = {64: file_sha256, 40: _git_hash}

"""MediaPipe 0.10.21 in an environment and a process of its own."""

from __future__ import annotations

import select
import subprocess
import venv
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from benchmarks.differential.case import Case, Outcome

VERSION = "0.10.21"
REQUIREMENTS = (f"mediapipe=={VERSION}", "protobuf<5", "absl-py", "numpy<2", "attrs", "flatbuffers")
PLAYER = Path(__file__).with_name("play_mediapipe.py")
PATIENCE = 10.0
"""Seconds that MediaPipe may take for one case before it counts as hanging."""


def environment(folder: Path) -> Path:
    """The interpreter of an environment that has MediaPipe; made in `folder` when it is not there.

    Raises CalledProcessError when it cannot be installed.
    """
    python = folder / "bin" / "python"
    done = folder / f"mediapipe-{VERSION}"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        # Without its dependencies, which pull in jax and OpenCV for nothing we use.
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *REQUIREMENTS]
        subprocess.run(install, check=True)
        done.touch()
    return python


class MediaPipe:
    """Plays cases one after the other; a case that kills the process gets a new one."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> MediaPipe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def play(self, case: Case) -> Outcome:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(case.to_json() + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if ready else ""
        if line:
            return Outcome.from_json(line)
        how = "died" if ready else "hung"
        self._stop()
        return Outcome(crashed=how)

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [str(self._python), str(PLAYER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

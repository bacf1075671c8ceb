import subprocess
import sys
from pathlib import Path

import pytest

from calcgraph.tools.staging import staging


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_published_folder_is_all_that_remains(tmp_path: Path) -> None:
    with staging(tmp_path / "org" / "model") as place:
        (place.folder / "weights").write_text("w")
        place.publish()
    assert names(tmp_path / "org") == ["model"]
    assert names(tmp_path / "org" / "model") == ["weights"]


def test_a_failure_leaves_the_old_folder_and_the_downloads(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    with pytest.raises(KeyboardInterrupt), staging(tmp_path / "model") as place:
        (place.folder / "half").touch()
        (place.downloads / "wheel.part").touch()
        raise KeyboardInterrupt
    assert names(tmp_path / "model") == ["old"]
    with staging(tmp_path / "model") as place:
        assert names(place.folder) == []
        assert names(place.downloads) == ["wheel.part"]


def test_a_failure_without_downloads_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staging(tmp_path / "model") as place:
        (place.folder / "half").touch()
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_kill_in_the_moment_of_exchange_loses_neither_folder(tmp_path: Path) -> None:
    replaced = tmp_path / ".model.preparing" / "replaced"
    replaced.mkdir(parents=True)
    (replaced / "old").touch()
    with staging(tmp_path / "model"):
        pass
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["old"]


def test_one_process_at_a_time_and_the_next_sees_what_the_first_did(tmp_path: Path) -> None:
    target = tmp_path / "model"
    program = (
        "import sys; from pathlib import Path; from calcgraph.tools.staging import staging\n"
        "with staging(Path(sys.argv[1])) as place: print(place.target.is_dir())"
    )
    with staging(target) as place:
        other = subprocess.Popen(
            [sys.executable, "-c", program, str(target)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert other.stderr is not None
        assert other.stderr.readline().startswith("waiting for another process")
        place.publish()
    output, _ = other.communicate(timeout=20)
    assert (output, other.returncode) == ("True\n", 0)
    assert names(tmp_path) == ["model"]

"""config.json is changed by many at once, read by a server, and never left broken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from calcgraph.servers.model_config import read_config
from calcgraph.tools.config_list import add_model, remove_model
from calcgraph.tools.errors import PreparationError


def listed(file: Path) -> dict[str, str]:
    items = json.loads(file.read_text())["model_config_list"]
    return {item["config"]["name"]: item["config"]["base_path"] for item in items}


def test_a_model_is_added_to_a_list_that_is_not_there_yet(tmp_path: Path) -> None:
    add_model(tmp_path / "new" / "config.json", "org/m", tmp_path / "new" / "org" / "m")
    assert listed(tmp_path / "new" / "config.json") == {"org/m": "org/m"}


def test_a_folder_elsewhere_is_listed_by_its_whole_path(tmp_path: Path) -> None:
    add_model(tmp_path / "config.json", "m", tmp_path.parent / "elsewhere")
    assert listed(tmp_path / "config.json") == {"m": str(tmp_path.parent / "elsewhere")}


def test_what_a_server_reads_is_what_was_added(tmp_path: Path) -> None:
    folder = tmp_path / "org" / "m"
    folder.mkdir(parents=True)
    (folder / "graph.pbtxt").write_text("")
    add_model(tmp_path / "config.json", "org/m", folder)
    [entry] = read_config(tmp_path / "config.json")
    assert (entry.name, entry.base_path) == ("org/m", folder)


def test_everything_else_in_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    entry = {"name": "m", "base_path": "old", "graph_path": "g.pbtxt"}
    file.write_text(json.dumps({"mediapipe_config_list": [entry], "monitoring": {"a": 1}}))
    add_model(file, "m", tmp_path / "new")
    assert json.loads(file.read_text()) == {
        "mediapipe_config_list": [entry | {"base_path": "new"}],
        "monitoring": {"a": 1},
    }


_CHANGES_FOR_EVER = """
import itertools, sys
from pathlib import Path
from calcgraph.tools.config_list import add_model, remove_model
file = Path(sys.argv[1])
for number in itertools.count():
    add_model(file, "comes", file.parent / f"folder{number}")
    remove_model(file, "comes")
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_the_old_list_or_the_new_one(tmp_path: Path) -> None:
    """And no lock, and no half file: the next one works."""
    file = tmp_path / "config.json"
    add_model(file, "stays", tmp_path / "stays")
    for round in range(10):
        command = [sys.executable, "-c", _CHANGES_FOR_EVER, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(20 + round):
                assert writer.stdout.readline()
            writer.kill()
        assert listed(file).keys() in ({"stays"}, {"stays", "comes"})
        add_model(file, f"next{round}", tmp_path / "next")
        assert remove_model(file, f"next{round}")


def test_a_model_is_removed_once(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for name in ("a", "b"):
        add_model(file, name, tmp_path / name)
    assert remove_model(file, "a")
    assert not remove_model(file, "a")
    assert listed(file) == {"b": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model_config_list": [', "is not JSON"),
        ("[]", "holds a JSON list, an object with"),
        ('{"model_config_list": {"name": 1}}', "model_config_list: a list of objects was expected"),
    ],
)
def test_a_file_that_is_no_config_is_told_and_left(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(PreparationError, match=message):
        add_model(file, "m", tmp_path / "m")
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_many_processes_at_once_lose_no_entry(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from calcgraph.tools.config_list import add_model\n"
        "file = Path(sys.argv[1])\n"
        "for i in range(25): add_model(file, f'{sys.argv[2]}-{i}', file.parent / f'{sys.argv[2]}-{i}')"
    )
    file = tmp_path / "config.json"
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(file), name]) for name in "abcd"
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if file.exists():
            seen = max(seen, len(listed(file)))  # whole at every moment
    assert all(writer.returncode == 0 for writer in writers)
    assert len(listed(file)) == 100 >= seen

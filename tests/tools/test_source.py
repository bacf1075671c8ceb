"""The real client of the hub, in a process of its own: it reads its settings when it is imported."""

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hub_stand_in import Hub

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.layout import IR, ONNX_FOLDER, SAFETENSORS, TRAINED
from calcgraph.tools.source import obtain_source

BERT = Path(__file__).parents[1] / "data" / "encoders" / "bert"
PROGRAM = """
import sys
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.source import obtain_source
try:
    source = obtain_source(*sys.argv[1:])
except (PreparationError, OSError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(source.folder)
"""


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def obtained(*arguments: str) -> Path:
    process = start(*arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return Path(output.strip())


def refusal(*arguments: str) -> str:
    """The one sentence; what the client logs stands before it."""
    process = start(*arguments)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in errors
    return errors.strip().splitlines()[-1]


@pytest.fixture
def published(hub: Hub) -> Hub:
    hub.publish("tiny/bert", BERT)
    return hub


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_model_of_the_hub_arrives_whole_and_once(published: Hub) -> None:
    folder = obtained("tiny/bert")
    assert folder.name == published.refs["tiny/bert", "main"]
    assert names(folder) == names(BERT) - {"expected.npz"}
    assert (folder / "model.safetensors").read_bytes() == (BERT / "model.safetensors").read_bytes()
    asked = len(published.downloads)
    assert obtained("tiny/bert") == folder
    assert len(published.downloads) == asked


def test_only_the_best_layout_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    model = shutil.copytree(BERT, tmp_path / "model")
    for name in ("openvino_model.xml", "openvino_model.bin", "onnx/model.onnx", "tf_model.h5"):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_text(name)
    hub.publish("tiny/many", model)
    folder = obtained("tiny/many")
    assert {"openvino_model.xml", "openvino_model.bin"} < names(folder)
    assert not {"model.safetensors", "onnx/model.onnx", "tf_model.h5"} & names(folder)


def test_a_broken_connection_is_continued(hub: Hub, tmp_path: Path) -> None:
    model = shutil.copytree(BERT, tmp_path / "model")
    weights = random.Random(1).randbytes(12_000_000)
    (model / "openvino_model.xml").touch()
    (model / "openvino_model.bin").write_bytes(weights)
    hub.publish("tiny/large", model)
    hub.broken["openvino_model.bin"] = [11_000_000]
    assert (obtained("tiny/large") / "openvino_model.bin").read_bytes() == weights
    ranges = [wanted for path, wanted in hub.downloads if path == "openvino_model.bin"]
    first, second = ranges
    assert first is None
    # The client writes some megabytes at a time, and goes on after the last that it wrote.
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 11_000_000


def test_after_a_kill_the_files_that_came_are_kept(published: Hub, tmp_path: Path) -> None:
    published.stalled["model.safetensors"] = 10_000
    killed = start("tiny/bert")
    while ("model.safetensors", None) not in published.downloads:
        assert killed.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    published.go_on.set()
    published.downloads.clear()
    obtained("tiny/bert")
    assert [path for path, _ in published.downloads] == ["model.safetensors"]


def test_offline_the_cache_is_used(published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = obtained("tiny/bert")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert obtained("tiny/bert") == folder
    assert "HF_HUB_OFFLINE forbids to ask the hub" in refusal("tiny/other")


def test_a_revision_is_a_branch_a_tag_or_a_commit(published: Hub, tmp_path: Path) -> None:
    old = published.refs["tiny/bert", "main"]
    changed = shutil.copytree(BERT, tmp_path / "changed")
    (changed / "sentence_bert_config.json").write_text('{"max_seq_length": 7}')
    new = published.publish("tiny/bert", changed)
    published.publish("tiny/bert", BERT, "v1")
    assert obtained("tiny/bert").name == new
    assert obtained("tiny/bert", "v1").name == old
    assert obtained("tiny/bert", old).name == old
    assert "no revision v9: --revision takes a branch, a tag or a commit" in refusal(
        "tiny/bert", "v9"
    )


def test_a_moved_branch_is_followed(published: Hub, tmp_path: Path) -> None:
    first = obtained("tiny/bert")
    changed = shutil.copytree(BERT, tmp_path / "changed")
    (changed / "sentence_bert_config.json").write_text('{"max_seq_length": 7}')
    published.publish("tiny/bert", changed)
    second = obtained("tiny/bert")
    assert json.loads((second / "sentence_bert_config.json").read_text()) == {"max_seq_length": 7}
    assert second != first


def test_a_wrong_token_is_said(published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "does not accept the token in HF_TOKEN" in refusal("tiny/bert")


def test_a_private_model_opens_to_a_right_token(
    published: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.private.add("tiny/bert")
    assert "has no model tiny/bert, or it is private and HF_TOKEN is not set" in refusal(
        "tiny/bert"
    )
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert obtained("tiny/bert").is_dir()


def test_a_gated_model_is_said(published: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    published.gated.add("tiny/bert")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert f"gated model: accept its licence at {published.url}/tiny/bert" in refusal("tiny/bert")


def test_an_unknown_name_is_said(published: Hub) -> None:
    assert "has no model tiny/nothing" in refusal("tiny/nothing")


def test_a_hub_that_is_not_there_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "check the network and HF_ENDPOINT" in refusal("tiny/bert")


def test_damaged_weights_are_refused_and_fetched_again(published: Hub) -> None:
    weights = (BERT / "model.safetensors").read_bytes()
    published.damaged["model.safetensors"] = weights[:-1] + bytes([weights[-1] ^ 1])
    assert "expected was 57fb6a6369fd1ee251aa" in refusal("tiny/bert")
    published.damaged.clear()
    folder = obtained("tiny/bert")
    assert (folder / "model.safetensors").read_bytes() == weights


def test_a_half_file_is_refused(published: Hub) -> None:
    published.damaged["model.safetensors"] = (BERT / "model.safetensors").read_bytes()[:1000]
    assert "did not come whole from" in refusal("tiny/bert")


def test_a_local_folder_is_taken_as_it_is() -> None:
    source = obtain_source(str(BERT))
    assert (source.folder, source.layout) == (BERT, SAFETENSORS)
    assert source.origin == str(BERT)


@pytest.mark.parametrize(
    "name", ["../bert", "tiny/../bert", "/no/such/folder", "a/b/c", "tiny bert"]
)
def test_what_is_neither_a_folder_nor_a_name_is_refused(name: str) -> None:
    with pytest.raises(PreparationError, match="is no folder and no name of the hub"):
        obtain_source(name)


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    with pytest.raises(PreparationError, match=r"holds no model .* one of openvino_model\.xml, mo"):
        obtain_source(str(tmp_path))


def test_who_asks_says_what_can_be_worked_with(tmp_path: Path) -> None:
    for name in ("openvino_model.xml", "model.safetensors", "onnx/model.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert obtain_source(str(tmp_path)).layout is IR
    assert obtain_source(str(tmp_path), None, lambda _: TRAINED).layout is SAFETENSORS
    assert obtain_source(str(tmp_path), None, lambda _: (ONNX_FOLDER,)).layout is ONNX_FOLDER

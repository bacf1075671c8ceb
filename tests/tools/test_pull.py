import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import openvino as ov
import openvino_tokenizers  # noqa: F401 - OpenVINO finds the tokenizer's operations in it
import pytest
from tokenizers import Tokenizer

from calcgraph.tools import pull
from calcgraph.tools.published_model import DEFAULT_MODEL, PublishedModel

PROGRAM = """
import json, sys
from calcgraph.tools import pull
from calcgraph.tools.published_model import PublishedModel
import argparse
parser = argparse.ArgumentParser()
pull.add_arguments(parser)
sys.exit(pull.run(parser.parse_args(sys.argv[2:]), PublishedModel(**json.loads(sys.argv[1]))))
"""
SERVED = {
    "1_Pooling/config.json",
    "calcgraph_manifest.json",
    "canary.npz",
    "config.json",
    "graph.pbtxt",
    "modules.json",
    "openvino_model.bin",
    "openvino_model.xml",
    "openvino_tokenizer.bin",
    "openvino_tokenizer.xml",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
}


def run(model: PublishedModel, repository: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    pull.add_arguments(parser)
    return pull.run(
        parser.parse_args(["--model_repository_path", str(repository), *options]), model
    )


def start(model: PublishedModel, repository: Path) -> "subprocess.Popen[str]":
    arguments = [json.dumps(asdict(model)), "--model_repository_path", str(repository)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converting the tokenizer takes two of a pull's three seconds, and is not every test's business."""
    monkeypatch.setitem(sys.modules, "transformers", None)


def test_a_pull_prepares_all_that_the_server_reads(
    index, miniature, tmp_path: Path, capsys
) -> None:
    assert run(miniature, tmp_path) == 0
    assert "prepared" in capsys.readouterr().out
    target = tmp_path / "tiny" / "bert"
    assert files(target) == SERVED
    assert list(target.parent.iterdir()) == [target]
    graph = (target / "graph.pbtxt").read_text()
    assert "pooling: CLS" in graph
    assert "max_length: 48" in graph

    text = "The cat sat on the mat, hello world!"
    tokenize = ov.Core().compile_model(target / "openvino_tokenizer.xml", "CPU")
    reference = Tokenizer.from_file(str(target / "tokenizer.json"))
    assert tokenize([text])["input_ids"][0].tolist() == reference.encode(text).ids
    assert len(ov.Core().read_model(target / "openvino_model.xml").inputs) == 3


def test_a_second_pull_has_nothing_to_do(
    index, miniature, tmp_path: Path, capsys, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    run(miniature, tmp_path)
    graph = tmp_path / "tiny" / "bert" / "graph.pbtxt"
    graph.write_text("# edited, and longer than before\n" + graph.read_text())
    asked = len(index.ranges)
    assert run(miniature, tmp_path) == 0
    assert "already prepared" in capsys.readouterr().out
    assert len(index.ranges) == asked
    assert graph.read_text().startswith("# edited")


def test_a_damaged_folder_is_prepared_again_and_keeps_its_graph(
    index, miniature, tmp_path: Path, capsys, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    run(miniature, tmp_path)
    target = tmp_path / "tiny" / "bert"
    (target / "openvino_model.bin").write_bytes(b"half")
    (target / "graph.pbtxt").write_text("# edited")
    assert run(miniature, tmp_path) == 0
    assert "is incomplete (openvino_model.bin has 4 bytes, expected were" in capsys.readouterr().out
    assert (target / "openvino_model.bin").stat().st_size > 100_000
    assert (target / "graph.pbtxt").read_text() == "# edited"


def test_overwriting_starts_from_nothing_and_can_change_the_weights(
    index, miniature, tmp_path: Path, capsys, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    run(miniature, tmp_path)
    target = tmp_path / "tiny" / "bert"
    (target / "graph.pbtxt").write_text("# edited")
    size = (target / "openvino_model.bin").stat().st_size
    assert run(miniature, tmp_path, "--weight-format", "fp16") == 1
    assert "holds fp32 weights and fp16 were asked for" in capsys.readouterr().err
    assert run(miniature, tmp_path, "--weight-format", "fp16", "--overwrite_models") == 0
    assert (target / "openvino_model.bin").stat().st_size < size * 0.6
    assert "pooling: CLS" in (target / "graph.pbtxt").read_text()
    assert list(target.parent.iterdir()) == [target]


def test_without_transformers_the_model_is_prepared_and_a_sentence_says_what_is_missing(
    index, miniature, tmp_path: Path, capsys, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    assert run(miniature, tmp_path) == 0
    assert files(tmp_path / "tiny" / "bert") == {f for f in SERVED if "openvino_tokenizer" not in f}
    assert (
        "transformers is not installed (pip install 'calcgraph[export]')" in capsys.readouterr().err
    )


def test_a_folder_of_somebody_else_is_left_alone(miniature, tmp_path: Path, capsys) -> None:
    target = tmp_path / "tiny" / "bert"
    target.mkdir(parents=True)
    (target / "openvino_model.xml").write_text("mine")
    assert run(miniature, tmp_path) == 1
    assert "was not made by `calcgraph pull`: give --overwrite_models" in capsys.readouterr().err
    assert (target / "openvino_model.xml").read_text() == "mine"


def test_a_pull_that_is_killed_while_downloading_is_continued(
    index, miniature, tmp_path: Path, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    index.stall_after = 1_500_000
    killed = start(miniature, tmp_path)
    parts = tmp_path / "tiny" / ".bert.preparing" / "downloads"
    wait_until(lambda: any(p.stat().st_size > 1_000_000 for p in parts.glob("*.part")))
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "tiny" / "bert").exists()
    index.stall_after = None
    index.go_on.set()

    assert run(miniature, tmp_path) == 0
    first, second = index.ranges
    assert first is None
    assert 1_000_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 1_500_000
    assert files(tmp_path / "tiny" / "bert") >= {"openvino_model.xml", "graph.pbtxt"}


@pytest.mark.parametrize("moment", ["config.json", "openvino_model.xml", "graph.pbtxt"])
def test_a_pull_that_is_killed_while_building_leaves_nothing_half_made(
    index, miniature, tmp_path: Path, monkeypatch, moment: str
) -> None:
    without_transformers(monkeypatch)
    killed = start(miniature, tmp_path)
    place = tmp_path / "tiny" / ".bert.preparing"
    wait_until(lambda: (place / "folder" / moment).exists())
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "tiny" / "bert").exists()

    assert run(miniature, tmp_path) == 0
    assert index.ranges == [None]  # the wheel was there already
    assert not place.exists()


def test_two_pulls_at_once_do_the_work_once(index, miniature, tmp_path: Path) -> None:
    index.stall_after = 1000
    first, second = (start(miniature, tmp_path) for _ in range(2))
    wait_until(lambda: len(index.ranges) > 0)
    index.go_on.set()
    outputs = [process.communicate(timeout=30)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert sorted("already prepared" in output for output in outputs) == [False, True]
    assert index.ranges == [None]
    assert files(tmp_path / "tiny" / "bert") == SERVED


def test_the_next_package_is_asked_when_the_index_lacks_the_first(
    index, miniature, tmp_path: Path, monkeypatch
) -> None:
    without_transformers(monkeypatch)
    model = replace(miniature, packages=("another-model==2.0", "tiny-model==1.0"))
    assert run(model, tmp_path) == 0
    manifest = json.loads((tmp_path / "tiny" / "bert" / "calcgraph_manifest.json").read_text())
    assert manifest["source"] == "tiny-model==1.0"


@pytest.mark.parametrize("reason", ["pip has its own certificate", "the index wants credentials"])
def test_pip_downloads_what_only_pip_can_reach(
    index, miniature, tmp_path: Path, monkeypatch, reason: str
) -> None:
    without_transformers(monkeypatch)
    if reason == "pip has its own certificate":
        monkeypatch.setenv("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
    else:
        index.refused_agents = "Python-urllib"
    assert run(miniature, tmp_path) == 0
    assert index.agents[-1].startswith("pip/")
    assert list((tmp_path / "tiny").iterdir()) == [tmp_path / "tiny" / "bert"]


def test_the_wrong_weights_are_refused(index, miniature, tmp_path: Path, capsys) -> None:
    assert run(replace(miniature, weights_sha256="0" * 64), tmp_path) == 1
    error = capsys.readouterr().err
    assert f"sha256 {miniature.weights_sha256}, expected was {'0' * 64}" in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "tiny" / "bert").exists()


def test_a_wheel_that_is_not_the_announced_one_is_refused(
    index, miniature, tmp_path: Path, capsys
) -> None:
    index.announced_sha256 = "1" * 64
    assert run(miniature, tmp_path) == 1
    assert f"expected was {'1' * 64}: it was damaged" in capsys.readouterr().err
    assert files(tmp_path) == set()


def test_an_index_without_the_model_is_said(index, miniature, tmp_path: Path, capsys) -> None:
    assert run(replace(miniature, packages=("a-model==1", "b-model==1")), tmp_path) == 1
    error = capsys.readouterr().err
    assert "does not have a-model==1 and the package index does not have b-model==1" in error


def test_no_network_is_said(miniature, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert run(miniature, tmp_path) == 1
    error = capsys.readouterr().err
    assert "the package index cannot be reached: check the network" in error
    assert len(error.strip().splitlines()) == 1


def test_a_python_without_pip_is_said(miniature, tmp_path: Path, capsys, monkeypatch) -> None:
    bare = tmp_path / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    monkeypatch.setattr("calcgraph.tools.package_index._PIP", (str(bare), "-m", "pip"))
    assert run(miniature, tmp_path / "models") == 1
    assert "pip is missing: install it with" in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_is_said(miniature, capsys) -> None:
    with tempfile.TemporaryDirectory() as name:
        repository = Path(name) / "models"
        repository.mkdir(mode=0o555)
        Path(name).chmod(0o755)
        effective = os.geteuid()
        if effective == 0:
            os.seteuid(65534)  # nothing is read-only to root
        try:
            assert run(miniature, repository) == 1
        finally:
            os.seteuid(effective)
    error = capsys.readouterr().err
    assert f"{repository}/tiny: Permission denied: it may not be written; choose another" in error


def test_a_file_where_the_repository_should_be_is_said(miniature, tmp_path: Path, capsys) -> None:
    (tmp_path / "models").touch()
    assert run(miniature, tmp_path / "models") == 1
    assert "a file is where a folder is needed" in capsys.readouterr().err


def test_too_little_room_is_said_before_the_download(
    index, miniature, tmp_path: Path, capsys
) -> None:
    assert run(replace(miniature, disk_bytes=10**18), tmp_path) == 1
    assert "MB left and preparing the model takes 1,000,000,000,000 MB" in capsys.readouterr().err
    assert index.ranges == []


def test_a_disk_that_takes_no_more_is_said(index, miniature, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        process = start(miniature, tmp_path)
        _, error = process.communicate(timeout=30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert process.returncode == 1
    assert "files of this size are not allowed here" in error
    assert "Traceback" not in error


def test_the_default_model_is_what_its_authors_published(minilm: Path) -> None:
    manifest = json.loads((minilm / "calcgraph_manifest.json").read_text())
    assert manifest["source"] in DEFAULT_MODEL.packages
    assert manifest["weight_format"] == "fp32"
    weights = sum(np.prod(c.shape) for c in constants(minilm / "openvino_model.xml"))
    assert weights * 4 == pytest.approx((minilm / "openvino_model.bin").stat().st_size, rel=1e-4)


def constants(path: Path) -> list[ov.op.Constant]:
    nodes = ov.Core().read_model(path).get_ops()
    return [
        n for n in nodes if n.get_type_name() == "Constant" and n.get_element_type() == ov.Type.f32
    ]

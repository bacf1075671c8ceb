"""`calcgraph pull --source_model`: every layout to a folder that is served, whole or not at all."""

import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from hub_stand_in import Hub

from calcgraph.servers.command_line import FlagParser
from calcgraph.tools import pull

ENCODERS = Path(__file__).parents[1] / "data" / "encoders"
RERANKERS = Path(__file__).parents[1] / "data" / "rerankers"
COMMAND = [sys.executable, "-m", "calcgraph.servers"]


def run(repository: Path, *options: str | Path) -> int:
    parser = FlagParser("calcgraph pull")
    pull.add_arguments(parser)
    return pull.run(
        parser.parse_args(["--model_repository_path", str(repository), *map(str, options)])
    )


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return shutil.copytree(ENCODERS / "bert", tmp_path / "bert")


@pytest.fixture
def onnx(bert: Path) -> Path:
    (bert / "model.safetensors").unlink()
    shutil.copytree(ENCODERS / "bert-onnx" / "onnx", bert / "onnx")
    return bert


@pytest.fixture
def ir(bert: Path, tmp_path: Path, without_tokenizer_conversion: None) -> Path:
    """The miniature as OpenVINO's own organization publishes models: nothing says how it pools."""
    assert run(tmp_path / "made", "--source_model", bert) == 0
    folder = tmp_path / "made" / "bert"
    for name in ("modules.json", "calcgraph_manifest.json", "canary.npz", "graph.pbtxt"):
        (folder / name).unlink()
    shutil.rmtree(folder / "1_Pooling")
    return folder


@pytest.fixture
def without_tokenizer_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes two of a pull's three seconds, and is not every test's business."""
    monkeypatch.setitem(sys.modules, "transformers", None)


def hidden(folder: Path) -> np.ndarray:
    """What the served model makes of the stored inputs."""
    with np.load(ENCODERS / "bert" / "expected.npz") as stored:
        inputs = {name: stored[name] for name in stored.files if name != "last_hidden_state"}
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    model = ov.Core().compile_model(folder / "openvino_model.xml", "CPU", exact)
    return model(inputs)[0]


def torchs() -> np.ndarray:
    with np.load(ENCODERS / "bert" / "expected.npz") as stored:
        return stored["last_hidden_state"]


@pytest.mark.parametrize("layout", ["bert", "onnx", "ir"])
def test_every_layout_gives_the_vectors_of_torch(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    layout: str,
    without_tokenizer_conversion: None,
) -> None:
    source = request.getfixturevalue(layout)
    repository = tmp_path / "models"
    assert run(repository, "--source_model", source, "--pooling", "CLS") == 0
    target = repository / "bert"
    np.testing.assert_allclose(hidden(target), torchs(), rtol=0, atol=1e-5)
    graph = (target / "graph.pbtxt").read_text()
    assert "pooling: CLS" in graph
    assert "enabled: true" in graph
    assert (target / "canary.npz").is_file()


def test_an_onnx_model_gets_a_tokenizer_of_openvino(onnx: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "models", "--source_model", onnx) == 0
    assert (tmp_path / "models" / "bert" / "openvino_tokenizer.xml").is_file()


def test_a_reranker_is_known_for_one(tmp_path: Path, without_tokenizer_conversion: None) -> None:
    assert run(tmp_path, "--source_model", RERANKERS / "bert", "--model_name", "tiny/rerank") == 0
    assert "RerankCalculatorOV" in (tmp_path / "tiny" / "rerank" / "graph.pbtxt").read_text()


def test_the_flags_are_written_into_the_graph(ir: Path, tmp_path: Path) -> None:
    flags = "--pooling LAST --normalize false --truncate true --target_device GPU --num_streams 3"
    assert run(tmp_path / "models", "--source_model", ir, *flags.split()) == 0
    graph = (tmp_path / "models" / "bert" / "graph.pbtxt").read_text()
    for line in (
        "pooling: LAST",
        "enabled: false",
        "truncate: true",
        'target_device: "GPU"',
        """plugin_config: '{"NUM_STREAMS": "3"}'""",
    ):
        assert line in graph


def test_a_pooling_that_nothing_says_is_asked_for(
    ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "models", "--source_model", ir) == 1
    assert "how the model pools: give --pooling CLS, LAST or MEAN" in capsys.readouterr().err
    assert not (tmp_path / "models" / "bert").exists()


def test_ovms_page_of_2025_3_says_pooling_as_a_task(ir: Path, tmp_path: Path) -> None:
    task = "--task pooling CLS --task embeddings"
    assert run(tmp_path / "models", "--source_model", ir, *task.split()) == 0
    assert "pooling: CLS" in (tmp_path / "models" / "bert" / "graph.pbtxt").read_text()


def test_weights_of_an_ir_stay_what_they_are(
    ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--source_model", ir, "--pooling", "CLS", "--weight_format", "fp16")
    assert run(tmp_path / "models", *asked) == 1
    assert "published as OpenVINO IR, whose weights are not made fp16" in capsys.readouterr().err


def test_an_ir_that_cannot_be_read_is_said(
    ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    xml = ir / "openvino_model.xml"
    xml.write_text(xml.read_text().replace('version="11"', 'version="99"', 1))
    assert run(tmp_path / "models", "--source_model", ir, "--pooling", "CLS") == 1
    assert "or was made by a newer OpenVINO (pip install --upgrade" in capsys.readouterr().err


def test_half_an_ir_is_said(ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ir / "openvino_model.bin").unlink()
    assert run(tmp_path / "models", "--source_model", ir, "--pooling", "CLS") == 1
    assert "has no openvino_model.bin: it is not a whole model" in capsys.readouterr().err


def test_a_tokenizer_of_another_model_is_said(
    ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ir / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary |= {f"word{i}": len(vocabulary) + i for i in range(1000)}
    file.write_text(json.dumps(tokenizer))
    assert run(tmp_path / "models", "--source_model", ir, "--pooling", "CLS") == 1
    assert "the tokenizer is another model's, fetch both again" in capsys.readouterr().err


def test_an_onnx_file_that_is_none_is_said(
    onnx: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (onnx / "onnx" / "model.onnx").write_bytes(b"half a file")
    level = logging.root.level
    assert run(tmp_path / "models", "--source_model", onnx) == 1
    assert logging.root.level == level, "OpenVINO's converter silences the process"
    error = capsys.readouterr().err
    assert "OpenVINO cannot convert" in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_a_name_that_leaves_the_repository_is_refused(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(tmp_path / "models", "--source_model", bert, "--model_name", name) == 1
    assert "is no name of a model: expected words without '..'" in capsys.readouterr().err
    assert not list(tmp_path.glob("**/evil"))


def test_flags_without_a_source_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--pooling", "CLS") == 1
    assert "--pooling goes with --source_model" in capsys.readouterr().err


def test_a_task_that_is_none_is_refused(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, "--source_model", bert, "--task", "text_generation")
    assert "--task text_generation: expected embeddings or rerank" in capsys.readouterr().err


def test_another_model_is_not_overwritten(
    ir: Path, bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "models"
    assert run(repository, "--source_model", bert) == 0
    before = (repository / "bert" / "openvino_model.bin").read_bytes()
    assert run(repository, "--source_model", ir, "--pooling", "CLS") == 1
    assert "give --overwrite_models to replace it" in capsys.readouterr().err
    assert (repository / "bert" / "openvino_model.bin").read_bytes() == before


def test_a_second_pull_keeps_an_edited_graph(
    bert: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    without_tokenizer_conversion: None,
) -> None:
    repository = tmp_path / "models"
    assert run(repository, "--source_model", bert) == 0
    graph = repository / "bert" / "graph.pbtxt"
    graph.write_text("# edited")
    assert run(repository, "--source_model", bert) == 0
    assert "already prepared" in capsys.readouterr().out
    assert graph.read_text() == "# edited"
    assert run(repository, "--source_model", bert, "--overwrite_models") == 0
    assert "pooling: CLS" in graph.read_text()


def test_a_folder_that_may_not_be_written_is_said(
    ir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").write_text("a file")
    assert run(tmp_path / "models", "--source_model", ir, "--pooling", "CLS") == 1
    assert "a file is where a folder is needed" in capsys.readouterr().err


def pulling(repository: Path, source: Path, *options: str) -> "subprocess.Popen[str]":
    flags = ["--source_model", str(source), "--model_repository_path", str(repository), *options]
    return subprocess.Popen(
        [*COMMAND, "--pull", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_full_disk_is_said_and_leaves_the_model_that_was_there(ir: Path, tmp_path: Path) -> None:
    repository = tmp_path / "models"
    assert run(repository, "--source_model", ir, "--pooling", "CLS") == 0
    served = repository / "bert"
    before = {path.name: path.read_bytes() for path in served.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, limit[1]))
    try:
        process = pulling(repository, ir, "--pooling", "LAST", "--overwrite_models")
        _, error = process.communicate(timeout=60)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert process.returncode == 1
    assert "files of this size are not allowed here; raise the limit" in error
    assert "Traceback" not in error
    assert {path.name: path.read_bytes() for path in served.iterdir()} == before


def test_a_disk_without_room_is_said(ir: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of 64 kB cannot be mounted here (not root, or not allowed)")
    try:
        process = pulling(disk / "models", ir, "--pooling", "CLS")
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "free some" in error
        assert "Traceback" not in error
        assert not (disk / "models" / "bert").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_after_a_kill_the_next_pull_works_and_the_old_model_stays(ir: Path, tmp_path: Path) -> None:
    repository = tmp_path / "models"
    assert run(repository, "--source_model", ir, "--pooling", "CLS") == 0
    killed = pulling(repository, ir, "--pooling", "LAST", "--overwrite_models")
    building = repository / ".bert.preparing" / "folder" / "openvino_model.xml"
    wait_until(building.exists)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert "pooling: CLS" in (repository / "bert" / "graph.pbtxt").read_text()
    again = ("--pooling", "LAST", "--overwrite_models")
    assert run(repository, "--source_model", ir, *again) == 0
    assert "pooling: LAST" in (repository / "bert" / "graph.pbtxt").read_text()
    assert [path.name for path in repository.iterdir()] == ["bert"]


def pulled(*flags: str) -> "subprocess.CompletedProcess[str]":
    """OVMS's command line, in a process of its own."""
    return subprocess.run([*COMMAND, "--pull", *flags], capture_output=True, text=True, timeout=120)


def test_ovms_command_pulls_from_the_hub(hub: Hub, ir: Path, tmp_path: Path) -> None:
    hub.publish("OpenVINO/tiny-int8-ov", ir)
    repository = str(tmp_path / "models")
    command = f"--model_repository_path {repository} --source_model OpenVINO/tiny-int8-ov --pooling LAST --task embeddings".split()
    done = pulled(*command)
    assert done.returncode == 0, done.stderr
    target = tmp_path / "models" / "OpenVINO" / "tiny-int8-ov"
    assert "pooling: LAST" in (target / "graph.pbtxt").read_text()
    manifest = json.loads((target / "calcgraph_manifest.json").read_text())
    commit = hub.refs["OpenVINO/tiny-int8-ov", "main"]
    assert manifest["source"] == f"OpenVINO/tiny-int8-ov@{commit}"

    asked = len(hub.downloads)
    assert "already prepared" in pulled(*command).stdout
    assert len(hub.downloads) == asked

    shutil.copy(ENCODERS / "bert" / "modules.json", ir)
    other = hub.publish("OpenVINO/tiny-int8-ov", ir, "v2")
    refused = pulled(*command, "--revision", "v2")
    assert refused.returncode == 1
    assert f"@{commit} as published, asked for was OpenVINO/tiny-int8-ov@{other}" in refused.stderr


def test_what_the_hub_refuses_is_one_sentence(hub: Hub, tmp_path: Path) -> None:
    done = pulled(
        "--source_model", "nobody/nothing", "--model_repository_path", str(tmp_path / "m")
    )
    assert done.returncode == 1
    assert "has no model nobody/nothing" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "m").exists()

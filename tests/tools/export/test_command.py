"""`calcgraph export` as its users type it: what it writes, what it refuses, what an interruption leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from hub_stand_in import Hub

from calcgraph.runtime.config import read_graph
from calcgraph.runtime.validation import plan_graph
from calcgraph.servers.__main__ import main

DATA = Path(__file__).parents[2] / "data"
BERT = DATA / "encoders" / "bert"
RERANKER = DATA / "rerankers" / "xlm-roberta"
WHERE = ["--config_file_path", "models/config.json", "--model_repository_path", "models"]
COMMAND = [sys.executable, "-m", "calcgraph.servers", "export"]


@dataclass(frozen=True)
class Done:
    """What the command answered."""

    status: int
    out: str
    err: str


Export = Callable[..., Done]


@pytest.fixture
def export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Export:
    """Run the command with models/ and models/config.json in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Done:
        status = main(["export", *map(str, arguments), *WHERE])
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sentence-transformers folder that a test may change."""
    return shutil.copytree(BERT, tmp_path / "source")


def succeeded(done: Done) -> str:
    assert done.status == 0, done.out + done.err
    return done.out


def refused(done: Done) -> str:
    assert done.status == 1, done.out + done.err
    assert done.err.count("\n") == 1
    return done.err


def options(folder: Path) -> str:
    """The graph, which must be one that can be served."""
    text = (folder / "graph.pbtxt").read_text()
    plan_graph(read_graph(text, "graph.pbtxt"))
    return text


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_of_ovms_works_word_for_word(export: Export, models: Path) -> None:
    out = succeeded(
        export(
            *("embeddings_ov", "--source_model", BERT, "--pooling", "MEAN"),
            *("--extra_quantization_params", "--library sentence_transformers"),
            *("--weight-format", "int8"),
        )
    )
    folder = models / "bert"
    assert {"openvino_model.xml", "openvino_tokenizer.xml", "tokenizer.json", "canary.npz"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.glob("model.safetensors")) + list(folder.glob("float32.*"))
    assert "pooling: MEAN" in options(folder)
    assert "note: --pooling MEAN is taken; the model's files say CLS" in out
    assert re.search(r"cosine of int8 with fp32: (1.0000|0.99\d\d) on average", out)
    assert "openvino_model.bin: 0." in out
    entry = {"config": {"name": "bert", "base_path": "bert"}}
    assert json.loads((models / "config.json").read_text()) == {"model_config_list": [entry]}


def test_pooling_length_and_normalization_come_from_the_models_files(
    export: Export, models: Path
) -> None:
    succeeded(export("embeddings_ov", "--source_model", BERT, "--weight-format", "fp32"))
    graph = options(models / "bert")
    for line in ("pooling: CLS", "enabled: true", "max_length: 48", "truncate: false"):
        assert f"      {line}\n" in graph


def test_every_flag_reaches_the_graph(export: Export, models: Path) -> None:
    succeeded(
        export(
            *("embeddings_ov", "--source_model", BERT, "--model_name", "org/tiny", "--truncate"),
            *("--skip_normalize", "--num_streams", "2", "--ov_cache_dir", "/tmp/a cache"),
            *("--weight_format", "fp16", "--target_device", "AUTO"),
        )
    )
    graph = options(models / "org" / "tiny")
    properties = '{"NUM_STREAMS": "2", "CACHE_DIR": "/tmp/a cache"}'
    for line in ("truncate: true", "enabled: false", 'target_device: "AUTO"'):
        assert f"      {line}\n" in graph
    assert f"      plugin_config: '{properties}'\n" in graph


def test_ovms_gets_its_own_form_of_the_graph(export: Export, models: Path) -> None:
    flags = ["--weight-format", "fp32", "--single_node", "--truncate"]
    succeeded(export("embeddings_ov", "--source_model", BERT, *flags))
    graph = options(models / "bert")
    assert graph.count("node {") == 1
    for line in ("pooling: CLS", "normalize_embeddings: true", "truncate: true"):
        assert f"      {line}\n" in graph


def test_a_reranker_is_exported_and_its_limit_kept(export: Export, models: Path) -> None:
    flags = ["--weight-format", "fp32", "--max_doc_length", "16000", "--num_streams", "1"]
    succeeded(export("rerank_ov", "--source_model", RERANKER, *flags))
    folder = models / "xlm-roberta"
    assert "      max_length: 96\n" in options(folder)
    [output] = ov.Core().read_model(folder / "openvino_model.xml").outputs
    assert output.get_names() == {"logits"}


def test_the_canary_of_an_int8_model_is_its_own(export: Export, models: Path) -> None:
    """The server checks at load that the model is what was stored, not what it was stored from."""
    for name in ("fp32", "int8"):
        flags = ["--weight-format", name, "--model_name", name]
        succeeded(export("embeddings_ov", "--source_model", BERT, *flags))
    exact, stored = (np.load(models / name / "canary.npz")["CLS"] for name in ("fp32", "int8"))
    assert 1e-5 < np.abs(exact - stored).max() < 0.5


def test_what_is_exported_already_is_left(export: Export, models: Path) -> None:
    flags = ["embeddings_ov", "--source_model", BERT, "--weight-format", "fp32"]
    succeeded(export(*flags))
    (models / "bert" / "graph.pbtxt").write_text("# edited\n")
    (models / "config.json").unlink()
    assert "already exported: models/bert" in succeeded(export(*flags))
    assert (models / "bert" / "graph.pbtxt").read_text() == "# edited\n"
    assert (models / "config.json").exists()
    assert "exported models/bert in" in succeeded(export(*flags, "--overwrite_models"))
    assert "pooling: CLS" in options(models / "bert")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--weight-format", "fp16"], "as fp32, asked for was"),
        (["--source_model", str(DATA / "encoders" / "roberta")], "is not a whole model"),
    ],
)
def test_another_model_is_not_overwritten_unasked(
    export: Export, models: Path, flags: list[str], message: str
) -> None:
    first = ["embeddings_ov", "--source_model", BERT, "--model_name", "m"]
    succeeded(export(*first, "--weight-format", "fp32"))
    before = files(models)
    assert message in refused(export(*first, *flags))
    assert files(models) == before


def bare(source: Path) -> None:
    (source / "modules.json").unlink()


def max_pooled(source: Path) -> None:
    (source / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')


def without_tokenizer(source: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (source / name).unlink()


def half_downloaded(source: Path) -> None:
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def cross_encoder(source: Path) -> None:
    config = json.loads((source / "config.json").read_text())
    config["architectures"] = ["BertForSequenceClassification"]
    (source / "config.json").write_text(json.dumps(config))


def foreign_tokenizer(source: Path) -> None:
    spec = json.loads((source / "tokenizer.json").read_text())
    spec["model"]["vocab"]["hello"] = 5000
    (source / "tokenizer.json").write_text(json.dumps(spec))


def unheard_of(source: Path) -> None:
    (source / "config.json").write_text('{"model_type": "mamba9", "architectures": ["Mamba9"]}')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (bare, "has no modules.json that says how the model pools: give --pooling CLS, LAST or"),
        (max_pooled, "asks for the pooling pooling_mode_max_tokens; supported is one of"),
        (without_tokenizer, "has no tokenizer (tokenizer.json): it is not a whole model"),
        (half_downloaded, "is not a whole safetensors file"),
        (cross_encoder, "scores pairs of texts and has no embeddings: export it with rerank_ov"),
        (foreign_tokenizer, "gives id 5000 and the model knows the ids below 200: their files are"),
        (unheard_of, "pip install 'calcgraph[export-torch]'"),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_sentence(
    export: Export, models: Path, source: Path, change: Callable[[Path], None], message: str
) -> None:
    change(source)
    flags = ["--weight-format", "fp32"]
    assert message in refused(export("embeddings_ov", "--source_model", source, *flags))
    assert not list(models.rglob("*"))


def test_a_bare_encoder_is_normalized_as_by_ovms(
    export: Export, models: Path, source: Path
) -> None:
    bare(source)
    flags = ["--weight-format", "fp32", "--pooling", "LAST"]
    succeeded(export("embeddings_ov", "--source_model", source, *flags))
    graph = options(models / "source")
    assert "      pooling: LAST\n" in graph
    assert "      enabled: true\n" in graph


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["embeddings_ov", "--source_model", "/no/where"],
            "/no/where is no folder and no name of the",
        ),
        (
            ["embeddings_ov", "--source_model", BERT, "--model_name", "../m"],
            "is no name of a model",
        ),
        (["embeddings_ov", "--source_model", BERT, "--model_name", "/m"], "is no name of a model"),
        (["rerank_ov", "--source_model", BERT], "is no reranker"),
        (
            [
                "embeddings_ov",
                "--source_model",
                BERT,
                "--extra_quantization_params",
                "--awq --gptq",
            ],
            "--awq is not supported",
        ),
    ],
)
def test_a_command_that_cannot_be_done_is_told(
    export: Export, models: Path, flags: list[str], message: str
) -> None:
    assert message in refused(export(*flags))
    assert not models.exists()


def test_a_config_that_is_broken_is_told_and_left(export: Export, models: Path) -> None:
    models.mkdir()
    (models / "config.json").write_text("{")
    flags = ["embeddings_ov", "--source_model", BERT, "--weight-format", "fp32"]
    assert "config.json is not JSON" in refused(export(*flags))
    assert (models / "config.json").read_text() == "{"


def test_a_model_of_the_hub_is_exported_under_its_name(hub: Hub, tmp_path: Path) -> None:
    hub.publish("tiny/bert", BERT)
    flags = ["embeddings_ov", "--source_model", "tiny/bert", "--weight-format", "fp32"]
    done = subprocess.run([*COMMAND, *flags, *WHERE], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pooling: CLS" in options(tmp_path / "models" / "tiny" / "bert")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_export_leaves_the_old_model(
    export: Export, models: Path, tmp_path: Path, how: signal.Signals
) -> None:
    flags = ["embeddings_ov", "--source_model", str(BERT), "--weight-format", "fp32"]
    succeeded(export(*flags))
    before = files(models)
    with subprocess.Popen(
        [*COMMAND, *flags, "--pooling", "MEAN", "--overwrite_models", *WHERE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        # The tokenizer comes last and takes longest.
        while "convert the tokenizer" not in process.stdout.readline():
            assert process.poll() is None
        os.killpg(process.pid, how)
        process.wait(60)
    assert process.returncode != 0
    assert {path: files(models)[path] for path in before} == before
    succeeded(export(*flags, "--overwrite_models"))
    assert files(models).keys() == before.keys()

"""`calcgraph compare` against the real server: the vectors are right, and it would tell if they were not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from calcgraph.tools.prepare import prepare

from .conftest import BF16, COMMAND, F32, ROOT, running

DATA = ROOT.parent / "shared" / "data"
GOLDENS = ROOT / "tests" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not there")


@pytest.fixture
def compare(server: Any) -> Any:
    """Run the command on the server's model; returns the exit status and the output."""

    def run(*flags: str | Path, model: str = BF16) -> tuple[int, str]:
        url = f"http://{server.rest}/v3"
        command = [*COMMAND, "compare", "--service_url", url, "--model", model, *map(str, flags)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def goldens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sentence-transformers' vectors of 40 texts, as --save_goldens would store them."""
    texts = json.loads((GOLDENS / "minilm_goldens.json").read_text())["texts"]
    with np.load(GOLDENS / "minilm_goldens.npz") as stored:
        vectors = stored["mean_normalized"]
    # The goldens hold texts beyond 256 tokens, cut; the server refuses them, and that is tested elsewhere.
    short = [i for i, text in enumerate(texts) if len(text) < 800]
    assert len(short) > 30
    file = tmp_path_factory.mktemp("goldens") / "goldens.npz"
    kept = np.array([texts[i] for i in short], np.str_)
    np.savez(file, texts=kept, vectors=vectors[short])
    return file


@pytest.mark.parametrize("model", [BF16, F32])
def test_the_served_vectors_are_those_of_sentence_transformers(
    compare: Any, goldens: Path, model: str
) -> None:
    status, out = compare("--goldens", goldens, model=model)
    assert status == 0, out
    assert "[SUCCESS]" in out


def test_vectors_of_other_texts_fail(compare: Any, goldens: Path, tmp_path: Path) -> None:
    with np.load(goldens) as stored:
        texts, vectors = stored["texts"], stored["vectors"]
    np.savez(tmp_path / "wrong.npz", texts=texts, vectors=np.roll(vectors, 1, axis=0))
    status, out = compare("--goldens", tmp_path / "wrong.npz")
    assert status == 1
    assert "[FAILED]" in out


def test_a_models_own_vectors_can_be_stored_and_compared_later(
    compare: Any, tmp_path: Path
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one text\n\nand another\n")
    file = tmp_path / "stored.npz"
    status, out = compare("--texts", texts, "--input", "hello", "--save_goldens", file)
    assert (status, "stored 3 vectors of 384 numbers" in out) == (0, True)
    assert compare("--goldens", file)[0] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "nothing to compare"),
        (["--task", "stbs", "x"], "unknown task 'stbs'; there are stsb, banking77"),
        (["--task", "stsb", "/nowhere.csv"], "cannot be read"),
        (["--input", "x", "--goldens", "y.npz"], "brings its own texts"),
        (["--input", "x", "--save_goldens", "g.npz", "--model", "gone"], "404 The model 'gone'"),
        (["--input", "x", "--save_goldens", "g.npz", "--service_url", "http://127.0.0.1:9"], "does not answer"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_sentence(compare: Any, flags: list[str], message: str) -> None:
    status, out = compare(*flags)
    assert status == 1
    assert message in out
    assert "Traceback" not in out


@needs_data
@pytest.mark.slow
def test_sts_b_dev_comes_out_as_with_sentence_transformers(compare: Any) -> None:
    reference = json.loads((GOLDENS / "minilm_goldens.json").read_text())["stsb_dev_spearman"]
    file = DATA / "stsb" / "en-dev.csv"
    flags = ["--expected", str(reference), "--tolerance", "0.002"]
    status, out = compare("--task", "stsb", file, *flags)
    assert status == 0, out


@needs_data
@pytest.mark.slow
def test_banking77_comes_out_as_published(compare: Any) -> None:
    status, out = compare("--task", "banking77", DATA / "banking77", "--expected", "0.80")
    assert status == 0, out


WITH_TORCH = """
import site, sys
site.addsitedir(sys.argv[1])  # where calcgraph is, behind what is installed here
from calcgraph.servers.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "flags"),
    [("own", []), ("own", ["--pooling", "CLS"]), ("spoiled", [])],
    ids=["sentence-transformers", "automodel", "another-model"],
)
def test_a_model_of_ones_own_is_compared_with_its_source(
    tmp_path: Path, client_python: Any, model: str, flags: list[str]
) -> None:
    """What `pull` makes of a folder answers as the folder does; with other weights it does not."""
    source, folder = GOLDENS / "encoders" / "bert", tmp_path / "model"
    shutil.copytree(source, folder)
    if model == "spoiled":
        weights = load_file(folder / "model.safetensors")
        name = max(name for name in weights if name.endswith("output.LayerNorm.weight"))
        weights[name] = -weights[name]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
    prepare(folder)
    # MTEB brings sentence-transformers and torch along.
    requirements = (ROOT / "examples" / "mteb" / "requirements.txt").read_text().splitlines()
    python = client_python("mteb", requirements)
    serve = ["--model_name", "own", "--model_path", folder, "--rest_port", "0"]
    with running(tmp_path / "stderr", "serve", *serve) as server:
        url = f"http://{server.rest}/v3"
        command = ["compare", "--service_url", url, "--model", "own", "--hf_model_name", source]
        texts = ["--input", "the cat", "--input", "a dog and the cats", *flags]
        done = subprocess.run(
            [python, "-c", WITH_TORCH, sysconfig.get_path("purelib"), *command, *texts],
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == (model == "spoiled"), done.stdout + done.stderr
    assert ("[FAILED]" if model == "spoiled" else "[SUCCESS]") in done.stdout, done.stderr

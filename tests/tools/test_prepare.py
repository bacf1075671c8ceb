import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from calcgraph.tools.prepare import prepare

BERT = Path(__file__).parents[1] / "data" / "encoders" / "bert"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(BERT, tmp_path / "bert")


def test_a_model_that_does_not_fit_the_disk_is_not_taken_for_whole(folder: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path\n"
        "import openvino; from calcgraph.tools.prepare import save_encoder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, -1))\n"
        "save_encoder(Path(sys.argv[1]), 'fp32')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True
    )
    assert "PreparationError: OpenVINO cannot write" in done.stderr
    assert "free some disk space" in done.stderr


def test_a_tokenizer_that_cannot_be_converted_costs_a_sentence_and_not_the_model(
    folder: Path,
) -> None:
    (folder / "tokenizer.json").write_text('{"model": {"type": "Unheard"}}')
    (folder / "vocab.txt").unlink()
    (warning,) = prepare(folder)
    assert warning.startswith(
        "no openvino_tokenizer.xml was made, the server will use tokenizer.json: "
    )
    assert {path.name for path in folder.glob("openvino_*")} == {
        "openvino_model.xml",
        "openvino_model.bin",
    }

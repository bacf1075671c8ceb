"""From tokenizer.json to openvino_tokenizer.xml, by way of transformers and without torch.

Run as a program in a process of its own: importing transformers is slow, warns, and loads torch where
that is installed.

    python -m calcgraph.tools.tokenizer_ir FOLDER
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

QUIET_AND_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
}


def convert_tokenizer(folder: Path) -> str | None:
    """Write openvino_tokenizer.xml and .bin into `folder`; None, or why it was not possible.

    A model folder works without them: they make tokenizing in batches fast.
    """
    if importlib.util.find_spec("transformers") is None:
        return "transformers is not installed (pip install 'calcgraph[export]')"
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(folder)],
        env={**os.environ, **QUIET_AND_OFFLINE},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode == 0:
        return None
    for half in folder.glob("openvino_tokenizer.*"):
        half.unlink()
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def main(folder: Path) -> None:
    # What cannot be found is not imported: transformers then reads tokenizers and nothing else.
    sys.modules["torch"] = None  # type: ignore[assignment]
    import openvino as ov
    import openvino_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # Truncation is left to the server, which has to tell a text that is too long from one that is not.
    model = openvino_tokenizers.convert_tokenizer(tokenizer)
    path = folder / "openvino_tokenizer.xml"
    # The scores of a Unigram vocabulary do not survive float16.
    ov.save_model(model, path, compress_to_fp16=False)
    ov.Core().read_model(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What the weight formats of `calcgraph export` cost and save: size, cosine with fp32, STS-B.

    python benchmarks/weight_formats.py SOURCE_FOLDER [--data ../shared/data] [--docs docs/export/formats.md]

SOURCE_FOLDER is a model as sentence-transformers stores it. Every format is exported by the command, loaded by the
engine in the precision that the processor prefers, and judged on STS-B's dev split (Spearman) and by its vectors of 500
questions of Banking77. The table goes to standard output, or into the file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from calcgraph.calculators.engine import Engine
from calcgraph.calculators.tokenization.tokenizer import ModelTokenizer
from calcgraph.tools.compare.endpoint import Embed, Vectors
from calcgraph.tools.compare.tasks import stsb
from calcgraph.tools.sentence_settings import read_sentence_settings

FORMATS = {
    "fp32": "",
    "fp16": "",
    "int8": "",
    "int8 --sym": "--sym",
    "int4": "",
    "int4 --group-size 32 --ratio 0.8": "--group-size 32 --ratio 0.8",
}
HEAD = """| format | size | cosine, mean | cosine, least | STS-B |
|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--docs", type=Path, help="write the table into this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = "\n".join([HEAD, *_lines(args.source, args.data, Path(folder))])
    if args.docs is None:
        print(table)
    else:
        args.docs.parent.mkdir(parents=True, exist_ok=True)
        args.docs.write_text(f"{table}\n", "utf-8")


def _lines(source: Path, data: Path, repository: Path) -> Iterator[str]:
    questions = (data / "banking77" / "test.csv").read_text("utf-8").splitlines()[1:501]
    exact: Vectors | None = None
    for number, (name, extra) in enumerate(FORMATS.items()):
        folder = _export(source, repository, f"m{number}", name.split()[0], extra)
        with _embedding(folder) as embed:
            vectors = embed(questions)
            exact = vectors if exact is None else exact
            cosines = (vectors * exact).sum(axis=1)
            correlation = stsb(data / "stsb" / "en-dev.csv", embed)
        size = (folder / "openvino_model.bin").stat().st_size / 1e6
        yield (
            f"| {name} | {size:.1f} MB | {cosines.mean():.4f} | {cosines.min():.4f} "
            f"| {correlation:.4f} |"
        )


def _export(source: Path, repository: Path, name: str, weight_format: str, extra: str) -> Path:
    command = [sys.executable, "-m", "calcgraph.servers", "export", "embeddings_ov"]
    command += ["--source_model", str(source), "--weight-format", weight_format]
    command += [f"--extra_quantization_params={extra}", "--model_name", name]
    command += ["--model_repository_path", str(repository)]
    command += ["--config_file_path", str(repository / "config.json")]
    subprocess.run(command, check=True, capture_output=True)
    return repository / name


@contextmanager
def _embedding(folder: Path) -> Iterator[Embed]:
    """Texts to vectors of unit length, cut to what the model reads."""
    settings = read_sentence_settings(folder)
    tokenizer = ModelTokenizer.open(folder)
    engine = Engine.open(folder, pooling=settings.pooling, normalize=True)
    limit = settings.max_length or engine.info.max_tokens

    def embed(texts: Sequence[str]) -> Vectors:
        ids = [tokenizer.truncate(each, limit) for each in tokenizer.encode(list(texts))]
        return np.asarray(engine.submit(ids).result())

    with engine:
        yield embed


if __name__ == "__main__":
    main()

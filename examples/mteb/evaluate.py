"""Measure a served embedding model with MTEB."""

import argparse
import csv
from pathlib import Path
from typing import Any

import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta
from openai import OpenAI


class ServedModel(AbsEncoder):
    """A model behind an OpenAI-style embeddings endpoint."""

    def __init__(self, url: str, name: str) -> None:
        self.client = OpenAI(base_url=url, api_key="unused")
        self.name = name
        meta = {"name": name if "/" in name else f"served/{name}", "revision": "served"}
        self.mteb_model_meta = ModelMeta.create_empty(meta)

    def encode(self, inputs: Any, **task: Any) -> np.ndarray:
        batches = [
            self.client.embeddings.create(model=self.name, input=batch["text"]).data
            for batch in inputs
        ]
        return np.array([item.embedding for batch in batches for item in batch], np.float32)


def from_files(task: Any, folder: Path) -> None:
    """Give a task its data from CSV files instead of the hub."""
    match task.metadata.name:
        case "Banking77Classification":
            splits = {
                name: labelled(folder / "banking77" / f"{name}.csv") for name in ("train", "test")
            }
        case "STSBenchmark":
            splits = {"dev": pairs(folder / "stsb" / "en-dev.csv")}
            task.metadata = task.metadata.model_copy(update={"eval_splits": ["dev"]})
        case name:
            raise SystemExit(f"there are no files for {name}: leave out --data")
    task.dataset = DatasetDict(splits)
    task.data_loaded = True


def labelled(file: Path) -> Dataset:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return Dataset.from_dict(
        {"text": [row["text"] for row in rows], "label": [row["category"] for row in rows]}
    )


def pairs(file: Path) -> Dataset:
    with file.open(newline="", encoding="utf-8") as lines:
        first, second, scores = zip(*csv.reader(lines), strict=True)
    return Dataset.from_dict(
        {"sentence1": first, "sentence2": second, "score": [float(score) for score in scores]}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    parser.add_argument("--url", default="http://127.0.0.1:8000/v3")
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="files instead of the hub")
    parser.add_argument("--results", type=Path, default=Path("results"))
    args = parser.parse_args()
    tasks = mteb.get_tasks(tasks=args.tasks)
    for task in tasks:
        if args.data is not None:
            from_files(task, args.data)
    measured = mteb.evaluate(
        ServedModel(args.url, args.model),
        list(tasks),
        cache=mteb.ResultCache(args.results),
        overwrite_strategy="always",
        encode_kwargs={"batch_size": 256},
    )
    for result in measured.task_results:
        print(f"{result.task_name} {result.get_score():.4f}")


if __name__ == "__main__":
    main()

"""From a transformers model of any architecture to an OpenVINO model, by way of torch.export.

Run as a program in a process of its own: torch and transformers are slow to import, warn, and keep the memory they
took.

    python -m calcgraph.tools.export.torch_ir SOURCE_FOLDER FILE.xml TASK

TASK is `embeddings`, with an output `last_hidden_state` float32 [batch, tokens, D], or `rerank`, with `logits`. The
inputs are `input_ids`, `attention_mask` and, for models trained with it, `token_type_ids`, int64 [batch, tokens].
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from calcgraph.tools.errors import PreparationError
from calcgraph.tools.export.published_config import native_config
from calcgraph.tools.tokenizer_ir import QUIET_AND_OFFLINE

EXTRA = "pip install 'calcgraph[export-torch]'"
_NEEDED = ("torch", "transformers")
OUTPUTS = {"embeddings": "last_hidden_state", "rerank": "logits"}


def convert_with_torch(source: Path, file: Path, task: str) -> None:
    """Write the model of a folder as OpenVINO reads it, in float32. Raises PreparationError."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise PreparationError(
            f"{source}: converting a model of this architecture takes {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed: {EXTRA}"
        )
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(source), str(file), task],
        env={**os.environ, **QUIET_AND_OFFLINE},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise PreparationError(
            f"{source} cannot be converted: {said[-1].strip() if said else f'exit status {done.returncode}'}"
        )


def main(source: Path, file: Path, task: str) -> None:
    import openvino as ov
    import torch

    torch.manual_seed(0)
    model = _load(source, task)
    inputs = _inputs(source, model.config)
    example = {name: torch.ones(3, 12, dtype=torch.int64) for name in inputs}
    example["attention_mask"][1, 7:] = 0
    dynamic = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad():
        program = torch.export.export(
            _one_output(model, OUTPUTS[task]),
            (),
            kwargs=example,
            dynamic_shapes=dict.fromkeys(inputs, dynamic),
            strict=False,
        )
        converted = ov.convert_model(program)
    for port, name in zip(converted.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    converted.outputs[0].get_tensor().set_names({OUTPUTS[task]})
    # Where in torch's code each node comes from is most of the file.
    for node in converted.get_ops():
        for key in list(node.get_rt_info()):
            del node.get_rt_info()[key]
    ov.save_model(converted, file, compress_to_fp16=False)


def _load(source: Path, task: str) -> Any:
    import torch

    config = _known_config(native_config(_config(source)))
    # With boolean masks of scaled_dot_product_attention the rows of padding are NaN; `eager` adds finite numbers.
    model, report = _kind(config, task).from_pretrained(
        source,
        config=config,
        dtype=torch.float32,
        attn_implementation="eager",
        local_files_only=True,
        output_loading_info=True,
    )
    # transformers gives random weights to what a file lacks.
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
    if missing or report["mismatched_keys"]:
        wrong = missing or sorted(str(key) for key in report["mismatched_keys"])
        raise SystemExit(
            f"its weights do not fit its config.json: {', '.join(wrong[:3])}"
            + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        )
    model.config.use_cache = False
    return model.eval()


def _kind(config: Any, task: str) -> Any:
    """The class of transformers that has the output."""
    import transformers

    if task == "embeddings":
        # The encoder's half of a model that has two.
        halves = {
            "t5": transformers.T5EncoderModel,
            "mt5": transformers.MT5EncoderModel,
            "umt5": transformers.UMT5EncoderModel,
        }
        return halves.get(config.model_type, transformers.AutoModel)
    if str((config.architectures or [""])[0]).endswith("SequenceClassification"):
        return transformers.AutoModelForSequenceClassification
    return transformers.AutoModelForCausalLM


def _known_config(settings: dict[str, Any]) -> Any:
    import transformers

    kind = settings.get("model_type")
    if kind not in transformers.CONFIG_MAPPING:
        raise SystemExit(
            f"model_type in its config.json is {json.dumps(kind)}, which transformers {transformers.__version__} "
            "does not know; models that come with Python code of their own are not run"
        )
    return transformers.AutoConfig.for_model(**settings)


def _config(source: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((source / "config.json").read_text("utf-8"))
    return config


def _inputs(source: Path, config: Any) -> list[str]:
    """Token types only for models that have several and a tokenizer that tells them."""
    path = source / "tokenizer_config.json"
    settings = json.loads(path.read_text("utf-8")) if path.exists() else {}
    named = settings.get("model_input_names", ["token_type_ids"])
    inputs = ["input_ids", "attention_mask"]
    if (getattr(config, "type_vocab_size", 0) or 0) > 1 and "token_type_ids" in named:
        inputs.append("token_type_ids")
    return inputs


def _one_output(model: Any, name: str) -> Any:
    import torch

    class OneOutput(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        # torch.export wants the inputs by name.
        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            answer = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
            return getattr(answer, name)

    return OneOutput()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    except Exception as error:
        # Whoever started this reads the last line.
        raise SystemExit(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}") from error

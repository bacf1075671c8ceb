"""An accuracy task by the served model, and what it loses against the same model in float32."""

from __future__ import annotations

import tempfile
from pathlib import Path

from calcgraph.runtime.errors import Code, status_error
from calcgraph.tools.compare.endpoint import Endpoint
from calcgraph.tools.compare.tasks import TASKS
from calcgraph.tools.pull_source import Request, pull_source
from calcgraph.tools.verify.checks import Verdict
from calcgraph.tools.verify.serving import served

_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def loss(
    task: str, data: Path, endpoint: Endpoint, reference: str | None, largest: float
) -> Verdict:
    """The figure of a task; with a reference, a failure when it is lower by more than `largest`.

    Raises StatusError for a task that there is not, for bad data, and when scipy or scikit-learn is missing.
    """
    if task not in TASKS:
        raise status_error(
            Code.INVALID_ARGUMENT, f"unknown task {task!r}; there are {', '.join(TASKS)}"
        )
    unit, measure = TASKS[task]
    try:
        figure = measure(data, endpoint.embed)
        if reference is None:
            return Verdict(task, None, f"{unit} {figure:.4f}; give --reference to compare it")
        exact = _exact(reference, task, data)
    except ImportError as error:
        raise status_error(
            Code.FAILED_PRECONDITION,
            f"the task needs {error.name}: pip install 'calcgraph[bench]'",
        ) from None
    shown = f"{unit} {figure:.4f}, in fp32 {exact:.4f}: {figure - exact:+.4f}"
    advice = "store the weights in a higher precision (--weight-format)"
    return Verdict(task, figure >= exact - largest, shown, advice)


def _exact(reference: str, task: str, data: Path) -> float:
    """The figure by the model as it was published, in float32."""
    with tempfile.TemporaryDirectory(prefix="calcgraph-verify-") as place:
        target = Path(place) / "model"
        pull_source(Request(reference, "model", target, plugin_config=_EXACT))
        with served(target, target / "graph.pbtxt", "model") as address:
            return TASKS[task][1](data, Endpoint(f"{address}/v3", "model").embed)

"""The executors a graph declares: which there are, of which type, with how many threads."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Final

from calcgraph.proto import graph_pb2, handlers_pb2
from calcgraph.runtime.config import GraphConfig
from calcgraph.runtime.errors import Code, Location
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.node_contract import Draft
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.plan import ExecutorPlan
from calcgraph.runtime.problems import Problems

THREAD_POOL: Final = "ThreadPoolExecutor"
APPLICATION_THREAD: Final = "ApplicationThreadExecutor"
TYPES: Final = (THREAD_POOL, APPLICATION_THREAD)


def plan_executors(
    config: GraphConfig, drafts: Iterable[Draft], provided: Collection[str], problems: Problems
) -> dict[str, ExecutorPlan]:
    """Every declared executor by name, the default one ("") always among them.

    `provided` are those that the application brings along (MediaPipe's SetExecutor).
    """
    plans: dict[str, ExecutorPlan] = {}
    drafts = list(drafts)
    for index, executor in enumerate(config.proto.executor):
        at = config.location("executor", index)
        if _is_reserved(executor.name):
            problems.add(at, f'"{executor.name}" is a reserved executor name.')
        elif executor.name in plans:
            which = f'"{executor.name}"' if executor.name else "the default executor"
            problems.add(at, f"ExecutorConfig for {which} is duplicate.")
        else:
            plans[executor.name] = _plan(executor, at, provided, len(drafts), problems)
    if config.proto.num_threads < 0:
        problems.add(
            config.location("num_threads"),
            f"num_threads: found {config.proto.num_threads}, expected 0 or more",
        )
    threads = config.proto.num_threads or default_threads(len(drafts))
    plans.setdefault("", ExecutorPlan("", "", threads))
    for draft in drafts:
        _check_node(draft, [*plans, *provided], problems)
    return plans


def check_default_executor(config: GraphConfig, problems: Problems) -> None:
    """The default executor is described by `num_threads` or by a config of its own."""
    configured = any(not executor.name for executor in config.proto.executor)
    if configured and config.proto.num_threads:
        problems.add(
            config.location("num_threads"),
            "ExecutorConfig for the default executor and the graph-level num_threads field should "
            "not both be specified.",
        )


def default_threads(nodes: int) -> int:
    """As many as there is work for and cores to do it."""
    return min(len(os.sched_getaffinity(0)), max(nodes, 1))


def _plan(
    executor: graph_pb2.ExecutorConfig,
    at: Location,
    provided: Collection[str],
    nodes: int,
    problems: Problems,
) -> ExecutorPlan:
    name, kind = executor.name, executor.type
    quoted = f'"{name}"' if name else "the default executor"
    given = OptionSet(executor.options if executor.HasField("options") else None, [], at)
    options = given.get(handlers_pb2.ThreadPoolExecutorOptions, problems)
    given.report_unread(
        problems,
        f"executor {quoted}",
        [handlers_pb2.ThreadPoolExecutorOptions.DESCRIPTOR.full_name],
    )
    if kind and kind not in TYPES:
        text = f'Unable to find Executor "{kind}", expected {" or ".join(TYPES)}'
        problems.add(at, text + did_you_mean(kind, TYPES), Code.NOT_FOUND)
    elif kind == APPLICATION_THREAD and name:
        problems.add(at, f"{APPLICATION_THREAD} is for the default executor only, found {quoted}")
    elif kind and name in provided:
        problems.add(at, f"executor {quoted} has a type and is also given by the application")
    elif not kind and name and name not in provided:
        problems.add(
            at,
            f"executor {quoted} has no type, expected {THREAD_POOL} or one given by the application",
        )
    threads = options.num_threads
    if threads < 0 or (not threads and name and kind == THREAD_POOL):
        problems.add(at, f"executor {quoted}: found num_threads {threads}, expected 1 or more")
    return ExecutorPlan(name, kind, threads or default_threads(nodes), options)


def _check_node(draft: Draft, declared: Collection[str], problems: Problems) -> None:
    name = draft.node.proto.executor
    at = draft.node.place("executor")
    if name and _is_reserved(name):
        problems.add(at, f'"{name}" is a reserved executor name.')
    elif name not in declared:
        guess = did_you_mean(name, [each for each in declared if each])
        problems.add(at, f'The executor "{name}" is not declared in an ExecutorConfig{guess}')


def _is_reserved(name: str) -> bool:
    return name in ("default", "gpu") or name.startswith("__")

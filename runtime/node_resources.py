"""What the nodes of one graph have open: loaded once, shared by all graphs that run for a model."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from inspect import iscoroutinefunction
from typing import Any

from calcgraph.runtime.errors import CalculatorError, GraphError, Problem, StatusError
from calcgraph.runtime.plan import GraphPlan, NodePlan


class NodeResources:
    """What `Calculator.load` opened for the nodes of one graph."""

    def __init__(self) -> None:
        self.by_node: dict[int, Any] = {}
        self._opened = AsyncExitStack()

    @classmethod
    async def load(cls, plan: GraphPlan) -> NodeResources:
        """Load every node, in order; when one fails, those before it are unloaded."""
        resources = cls()
        try:
            for node in plan.nodes:
                resources._add(node, await asyncio.to_thread(_load, node, plan))
        except BaseException:
            await resources.close()
            raise
        return resources

    def _add(self, node: NodePlan, resource: Any) -> None:
        if resource is not None:
            self.by_node[node.id] = resource
            self._opened.push_async_callback(_unload, node, resource)

    async def close(self) -> None:
        await self._opened.aclose()


async def _unload(node: NodePlan, resource: Any) -> None:
    """Off the loop, since closing may wait for work to end; a coroutine runs on it."""
    unload = node.calculator.unload
    if iscoroutinefunction(unload):
        await unload(resource)
    else:
        await asyncio.to_thread(unload, resource)


def _load(node: NodePlan, plan: GraphPlan) -> Any:
    try:
        return node.calculator.load(node, plan)
    except StatusError:
        raise
    except (ValueError, OSError) as error:
        # The graph names a file or a value that does not work: its author can mend it.
        raise GraphError([Problem(node.location, f"node {node.name!r}: {error}")]) from error
    except Exception as error:
        raise CalculatorError(node.name, "load", error) from error

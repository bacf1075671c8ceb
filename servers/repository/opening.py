"""Opening a version: its graph, loaded by the runtime."""

from __future__ import annotations

import logging

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.servers.repository.versions import VersionEntry

log = logging.getLogger(__name__)


async def open_graph(entry: VersionEntry) -> GraphExecutor:
    """Load one version. Raises StatusError, which names the model and what is wrong with it."""
    try:
        return await GraphExecutor.open(
            entry.name, entry.graph_file, base_path=entry.base_path, text=entry.graph_text
        )
    except StatusError as error:
        raise status_error(
            error.code, f"model '{entry.name}' cannot be loaded:\n{error}"
        ) from error
    except Exception as error:
        log.debug("model %s failed", entry.name, exc_info=error)
        raise status_error(
            Code.INTERNAL,
            f"model '{entry.name}' cannot be loaded:\n{entry.graph_file}: {type(error).__name__}: {error}",
        ) from error

"""Opening a version: its graph, loaded by the runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from calcgraph.runtime.errors import Code, StatusError, status_error
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.servers.repository.versions import VersionEntry

log = logging.getLogger(__name__)

_NO_SERVICES: Final[Mapping[str, Any]] = {}


async def open_graph(
    entry: VersionEntry, services: Mapping[str, Any] = _NO_SERVICES
) -> GraphExecutor:
    """Load one version. Raises StatusError, which names the model and what is wrong with it."""
    try:
        return await GraphExecutor.open(
            entry.name,
            entry.graph_file,
            base_path=entry.base_path,
            text=entry.graph_text,
            services=services,
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

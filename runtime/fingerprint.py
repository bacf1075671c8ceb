"""A short name for what a model's graph computes: the same graph, weights and settings, the same name.

Each node has a part in it: what its class says in `describe` under FINGERPRINT (anything JSON has; None
for a node that changes no result), else the class's name and the node's options.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message

from calcgraph.runtime.plan import NodePlan

FINGERPRINT: Final = "fingerprint"
_HEX_DIGITS: Final = 16


def fingerprint(parts: Iterable[Any]) -> str:
    """`fp_` and 16 hexadecimal digits, from the nodes' parts in topological order."""
    known = [part for part in parts if part is not None]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return f"fp_{digest[:_HEX_DIGITS]}"


def by_options(node: NodePlan) -> Any:
    """The part of a node whose class says nothing: to be on the safe side, all that its author can set."""
    options = node.options
    if options is None:
        settings: Any = None
    elif isinstance(options, Message):
        settings = options.SerializeToString(deterministic=True).hex()
    else:
        settings = repr(sorted(options.items()))
    return [node.calculator.__qualname__, settings]


def digest_of(*files: Path) -> str:
    """SHA-256 over the contents of the files, in this order."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

"""Reads a resource of KServe on stdin; prints the keys that KServe's Python classes do not know."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import kserve
import kubernetes.client

ROOTS = {"ServingRuntime": "V1alpha1ServingRuntime", "InferenceService": "V1beta1InferenceService"}


def unknown(value: Any, kind: str, path: str) -> Iterator[str]:
    if match := re.fullmatch(r"list\[(.*)\]", kind, re.IGNORECASE):
        for index, item in enumerate(value):
            yield from unknown(item, match[1], f"{path}[{index}]")
    elif match := re.fullmatch(r"dict[\[(]\w+, ?(.*)[\])]", kind, re.IGNORECASE):
        for key, item in value.items():
            yield from unknown(item, match[1], f"{path}.{key}")
    else:
        model = getattr(kserve, kind, None) or getattr(kubernetes.client, kind, None)
        if hasattr(model, "attribute_map"):
            yield from unknown_keys(value, model, path)


def unknown_keys(value: dict[str, Any], model: Any, path: str) -> Iterator[str]:
    names = {name: attribute for attribute, name in model.attribute_map.items()}
    for key, item in value.items():
        if key not in names:
            yield f"{path}.{key}"
        else:
            yield from unknown(item, model.openapi_types[names[key]], f"{path}.{key}")


resource = json.load(sys.stdin)
root = ROOTS[resource["kind"]]
print(list(unknown(resource, root, resource["kind"])))

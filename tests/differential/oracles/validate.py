"""What MediaPipe says of each graph: ["ok", its canonical text] or [error class, error text]."""

import json
import sys
from types import ModuleType

# MediaPipe's bindings import these without needing them here.
for name in ("cv2", "matplotlib", "matplotlib.pyplot", "jax", "jax.numpy", "sounddevice"):
    sys.modules[name] = ModuleType(name)

from mediapipe.python._framework_bindings import validated_graph_config  # noqa: E402


def validate(text):
    graph = validated_graph_config.ValidatedGraphConfig()
    try:
        graph.initialize(graph_config=text)
    except Exception as error:
        return [type(error).__name__, str(error)]
    return ["ok", graph.text_config]


print(json.dumps([validate(text) for text in json.load(sys.stdin)]))

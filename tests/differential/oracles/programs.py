"""What each program of mediapipe_programs.py, named in a list, sees on MediaPipe."""

import json
import sys
import types
from pathlib import Path


class Absent(types.ModuleType):
    """A module that has every name and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)

    def __call__(self, *args, **kwargs):
        return self


for name in ("cv2", "matplotlib", "matplotlib.pyplot", "jax", "jax.numpy", "sounddevice"):
    sys.modules[name] = Absent(name)
sys.path.insert(0, str(Path(__file__).parents[2] / "runtime" / "helpers"))

import mediapipe as mp  # noqa: E402
import mediapipe_programs  # noqa: E402
from mediapipe.framework import calculator_pb2  # noqa: E402

print(
    json.dumps(
        [getattr(mediapipe_programs, name)(mp, calculator_pb2) for name in json.load(sys.stdin)]
    )
)

"""OpenVINO's core, as models are read here."""

import openvino as ov


def new_core() -> ov.Core:
    """A core that reads weights into memory.

    By default it maps the file, and a file that is mapped ends this process (SIGBUS) when another one
    cuts it short: by copying a new model over the one that serves. A compiled model takes no more memory.
    """
    core = ov.Core()
    core.set_property({"ENABLE_MMAP": False})
    return core

"""Device and `plugin_config`: checked before anything is compiled, and completed for this box."""

from collections.abc import Mapping
from typing import Any

import openvino as ov

from calcgraph.calculators.engine.box import cpu_budget
from calcgraph.calculators.engine.errors import (
    DeviceUnknown,
    PropertyUnknown,
    PropertyValueWrong,
)
from calcgraph.calculators.engine.model import last_line

VIRTUAL = {"AUTO", "MULTI", "HETERO", "BATCH"}
CORE_PROPERTIES = {"CACHE_DIR", "CACHE_MODE", "ENABLE_MMAP", "DEVICE_PROPERTIES"}

PluginConfig = Mapping[str, str | int | float | bool]


def check_device(core: ov.Core, device: str) -> None:
    """Raises DeviceUnknown, for a part of MULTI:... and the like too."""
    kind, _, members = device.partition(":")
    names = [m.strip().lstrip("-").partition("(")[0] for m in members.split(",") if m.strip()]
    if kind not in VIRTUAL:
        names = [device]
    available = core.available_devices
    known = {*available, *(name.partition(".")[0] for name in available)}
    for name in names:
        if name not in known:
            raise DeviceUnknown(device, available)


def check_config(device: str, config: PluginConfig) -> None:
    """Raises PropertyUnknown, PropertyValueWrong. On a core of its own, since it sets to try."""
    if not config:
        return
    core = ov.Core()
    plugin = device.partition(":")[0]
    supported: Mapping[str, str] = core.get_property(plugin, "SUPPORTED_PROPERTIES")
    settable = {key for key, access in supported.items() if access == "RW"} | CORE_PROPERTIES
    for key, value in config.items():
        if key not in settable:
            raise PropertyUnknown(key, device, settable)
        try:
            core.set_property(plugin, {key: value})
        except (RuntimeError, TypeError) as error:
            raise PropertyValueWrong(key, value, device, last_line(error)) from error


def complete_config(device: str, config: PluginConfig) -> dict[str, Any]:
    """`config`, with the threads and streams of a CPU set to what this process may use.

    One stream of all threads: two streams of one thread each are slower behind one queue.
    """
    if device != "CPU":
        return dict(config)
    chosen: dict[str, Any] = {}
    if "PERFORMANCE_HINT" not in config and "NUM_STREAMS" not in config:
        chosen["NUM_STREAMS"] = 1
    chosen["INFERENCE_NUM_THREADS"] = cpu_budget().cpus
    return {**chosen, **config}
